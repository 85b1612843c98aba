#pragma once

#include <torch/torch.h>

#include <vector>

#include "limber/core/config/options.h"

namespace limber {

/// Adam (Kingma and Ba 2015, arXiv 1412.6980) with decoupled weight decay, or plain SGD, over the
/// dense parameters. All state is in plain tensors, so that a checkpoint holds all of it.
class DenseOptimizer {
 public:
  DenseOptimizer(std::vector<torch::Tensor> parameters, const TrainOptions& options);

  /// Scales the gradients down to `clip_norm` where they are longer; returns the norm before.
  double clip(double clip_norm);
  void step(double learning_rate);

  /// First and second moments, in the order of the parameters.
  std::vector<torch::Tensor>& moments() { return moments_; }
  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  std::vector<torch::Tensor> parameters_, moments_;
  bool adam_;
  double weight_decay_;
  std::int64_t steps_ = 0;
};

}  // namespace limber
