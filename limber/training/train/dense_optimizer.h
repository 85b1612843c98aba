#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/training/distributed/process_group.h"

namespace limber {

/// Adam (Kingma and Ba 2015, arXiv 1412.6980), Adagrad (Duchi, Hazan and Singer 2011, JMLR 12) or
/// plain SGD over the dense parameters, with decoupled weight decay. All state is in plain tensors,
/// so that a checkpoint holds all of it.
class DenseOptimizer {
 public:
  DenseOptimizer(std::vector<torch::Tensor> parameters, const TrainOptions& options);

  /// Scales the gradients down to `clip_norm` where they are longer; returns the norm before.
  /// Processes that train together all use the first one's norm: a bit that differed would make
  /// their weights drift apart.
  double clip(double clip_norm, ProcessGroup* ranks = nullptr);
  void step(double learning_rate);

  /// In the order of the parameters: Adam's first moments, then its second ones; Adagrad's sums of
  /// squared gradients.
  std::vector<torch::Tensor>& moments() { return moments_; }
  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  void step_adam(std::size_t i, const torch::Tensor& gradient, double learning_rate);
  void step_adagrad(std::size_t i, const torch::Tensor& gradient, double learning_rate);

  std::vector<torch::Tensor> parameters_, moments_;
  std::string kind_;
  double weight_decay_;
  std::int64_t steps_ = 0;
};

}  // namespace limber
