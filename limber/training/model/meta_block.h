#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/training/layers/segments.h"

namespace limber {

/// The meta block M(x; theta) of LiMAML (arXiv 2403.00803): fully connected layers whose weights
/// are adapted to each task; its output is the meta embedding. The last layer is linear.
class MetaBlockImpl : public torch::nn::Module {
 public:
  MetaBlockImpl(std::int64_t in, const MetaBlockOptions& options, torch::TensorOptions tensor);

  /// theta as a list: weight [in, out] and bias [out] of each layer in turn.
  std::vector<torch::Tensor> weights() const { return weights_; }
  /// theta seen once per task: weights [tasks, in, out] and biases [tasks, out], without a copy.
  std::vector<torch::Tensor> expanded_weights(std::int64_t tasks) const;
  /// x [rows, in], with the weights of each row's task -> [rows, dim].
  torch::Tensor forward(torch::Tensor x, const std::vector<torch::Tensor>& task_weights,
                        const Segments& segments) const;

 private:
  std::string activation_;
  std::vector<torch::Tensor> weights_;
};
TORCH_MODULE(MetaBlock);

}  // namespace limber
