#include "limber/training/model/meta_block.h"

#include "limber/training/layers/dense.h"

namespace limber {

MetaBlockImpl::MetaBlockImpl(std::int64_t in, const MetaBlockOptions& options,
                             torch::TensorOptions tensor)
    : activation_(options.activation) {
  std::vector<std::int64_t> widths = options.hidden;
  widths.push_back(options.dim);
  for (std::size_t l = 0; l < widths.size(); ++l) {
    const std::string name = "layer" + std::to_string(l);
    weights_.push_back(
        register_parameter(name + "_weight", initial_weight(in, widths[l], in, tensor)));
    weights_.push_back(register_parameter(name + "_bias", torch::zeros({widths[l]}, tensor)));
    in = widths[l];
  }
}

std::vector<torch::Tensor> MetaBlockImpl::expanded_weights(std::int64_t tasks) const {
  std::vector<torch::Tensor> expanded;
  for (const torch::Tensor& weight : weights_) {
    expanded.push_back(weight.dim() == 2
                           ? weight.unsqueeze(0).expand({tasks, weight.size(0), weight.size(1)})
                           : weight.unsqueeze(0).expand({tasks, weight.size(0)}));
  }
  return expanded;
}

torch::Tensor MetaBlockImpl::forward(torch::Tensor x,
                                     const std::vector<torch::Tensor>& task_weights,
                                     const Segments& segments) const {
  for (std::size_t l = 0; l + 1 < task_weights.size(); l += 2) {
    x = grouped_matmul(x, task_weights[l], segments) + expand_rows(task_weights[l + 1], segments);
    if (l + 2 < task_weights.size()) x = activate(x, activation_);
  }
  return x;
}

}  // namespace limber
