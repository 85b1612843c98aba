#pragma once

#include <torch/torch.h>

#include "limber/core/data/encoder.h"
#include "limber/training/distributed/process_group.h"

namespace limber {

/// Batch normalisation of the number features (Ioffe & Szegedy 2015; LiRank, arXiv 2402.06859,
/// section on training, which it keeps from diverging), without a learned scale and shift: every
/// layer that reads a number has its own. For numbers x_c that are not missing
///
///     y_c = (x_c - m_c) / s_c,    s_c^2 = variance_c + epsilon
///
/// with the batch's mean and variance in training, and their running averages after it. A missing
/// number is 0 before and after.
///
/// Nothing of it is learned by gradients, so all it is after training is another mean and deviation
/// of each feature's encoder: an artifact holds it there, and serving knows nothing of it.
class NumberNormImpl : public torch::nn::Module {
 public:
  NumberNormImpl(const InputLayout& layout, torch::TensorOptions tensor);

  /// inputs [rows, all input columns], as assemble_inputs gives them; differentiable in them but
  /// for the batch's mean and variance, which are those of data.
  torch::Tensor forward(const torch::Tensor& inputs);

  /// The encoder of feature `index` with the running averages in its own mean and deviation.
  FeatureEncoder folded(FeatureEncoder encoder, std::size_t index) const;

  torch::Tensor mean, variance;  ///< running [numbers]; buffers
  /// The batch is what they all hold together: forward is collective in training. Null: one alone.
  std::shared_ptr<ProcessGroup> ranks;

 private:
  std::vector<std::int64_t> number_of_;  ///< by feature: which number it is, or -1
  torch::Tensor columns_;                ///< [numbers]: where they lie in the inputs
  torch::Tensor marked_, marks_;         ///< numbers that have an indicator, and its column
  std::int64_t width_ = 0;
};
TORCH_MODULE(NumberNorm);

}  // namespace limber
