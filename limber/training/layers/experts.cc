#include "limber/training/layers/experts.h"

#include <algorithm>

#include "limber/core/base/error.h"
#include "limber/core/config/label_groups.h"

namespace limber {

ExpertsImpl::ExpertsImpl(std::int64_t in, const std::vector<std::string>& labels,
                         const ExpertOptions& options, const std::string& activation,
                         double dropout, torch::TensorOptions tensor) {
  const LabelGroups groups(options, labels);
  for (std::int64_t e = 0; e < groups.experts; ++e) {
    experts_.push_back(register_module("expert" + std::to_string(e),
                                       Mlp(in, options.hidden, activation, dropout, tensor)));
  }
  labels_ = groups.labels;
  visible_ = groups.visible;
  const std::int64_t out = experts_[0]->out();
  std::vector<std::int64_t> order(labels.size());
  std::int64_t place = 0;
  for (std::size_t g = 0; g < groups.labels.size(); ++g) {
    const std::string number = std::to_string(g);
    if (options.kind != "groups") {
      gates_.push_back(register_module(
          "gate" + number, Dense(in, static_cast<std::int64_t>(visible_[g].size()), tensor)));
    }
    const auto members = static_cast<std::int64_t>(groups.labels[g].size());
    heads_.push_back(register_module("head" + number, Dense(out, members, tensor)));
    for (const std::int64_t label : groups.labels[g]) {
      order[static_cast<std::size_t>(label)] = place++;
    }
  }
  order_ = torch::tensor(order, torch::kLong).to(tensor.device());
}

torch::Tensor ExpertsImpl::forward(const torch::Tensor& h, std::vector<torch::Tensor>* last) {
  if (last != nullptr) last->resize(static_cast<std::size_t>(order_.numel()));
  std::vector<torch::Tensor> outputs, logits;
  for (Mlp& expert : experts_) outputs.push_back(expert(h));
  for (std::size_t g = 0; g < heads_.size(); ++g) {
    torch::Tensor mixed = outputs[static_cast<std::size_t>(visible_[g][0])];
    if (!gates_.empty()) {
      const torch::Tensor shares = torch::softmax(gates_[g](h), 1);
      mixed = mixed * shares.narrow(1, 0, 1);
      for (std::size_t i = 1; i < visible_[g].size(); ++i) {
        mixed = mixed + outputs[static_cast<std::size_t>(visible_[g][i])] *
                            shares.narrow(1, static_cast<std::int64_t>(i), 1);
      }
    }
    logits.push_back(heads_[g](mixed));
    if (last == nullptr) continue;
    for (const std::int64_t label : labels_[g]) (*last)[static_cast<std::size_t>(label)] = mixed;
  }
  return torch::cat(logits, 1).index_select(1, order_);
}

torch::Tensor ExpertsImpl::last_layer(std::int64_t label) const {
  for (std::size_t g = 0; g < heads_.size(); ++g) {
    const auto found = std::find(labels_[g].begin(), labels_[g].end(), label);
    if (found == labels_[g].end()) continue;
    const std::int64_t column = found - labels_[g].begin();
    return torch::cat({heads_[g]->weight.select(1, column), heads_[g]->bias.narrow(0, column, 1)});
  }
  throw Error("no group of labels has label {}", label);
}

}  // namespace limber
