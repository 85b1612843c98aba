#pragma once

#include <torch/torch.h>

#include "limber/core/config/options.h"

namespace limber {

/// Isotonic calibration trained with the network (LiRank, arXiv 2402.06859, section 3.4): each
/// logit y passes through a rising, piecewise linear curve, one for each label and, with
/// calibration features, for each of their values:
///
///     y' = b + sum over buckets i of s_i v_i(y),    v_i(y) = clip(y, l_i, l_{i+1}) - clip(0, ...)
///     s_i = floor + softplus(w_i + e_i) > 0
///
/// where e and a part of b are linear in the features' embeddings. It departs from the paper in
/// three ways, each so that nothing ever stops learning: the curve is measured from 0, not from
/// the lowest logit, so that a slope moves what lies beyond it and not all others; its outer
/// buckets go on beyond the range, where a clip has no gradient; and the slopes are softplus, not
/// ReLU, because a slope of zero gets no gradient and lets none through to the network below.
///
/// It starts as the identity. A curve keeps the order of logits; curves of different features do
/// not keep it between them.
class IsotonicCalibrationImpl : public torch::nn::Module {
 public:
  /// `context_width`: columns of the calibration features; 0 means one curve for all rows.
  IsotonicCalibrationImpl(std::int64_t labels, std::int64_t context_width,
                          const CalibrationOptions& options, torch::TensorOptions tensor);
  /// logits [rows, labels], context [rows, context width] -> [rows, labels].
  torch::Tensor forward(const torch::Tensor& logits, const torch::Tensor& context);

  torch::Tensor slopes;   ///< w: [labels, buckets]
  torch::Tensor shift;    ///< the part of b that all rows share: [labels]
  torch::Tensor context;  ///< [context width, labels x (buckets + 1)], e and the rest of b; or none

 private:
  torch::Tensor lower_, upper_;  ///< [buckets]; the outer ends are infinite
  double floor_;
};
TORCH_MODULE(IsotonicCalibration);

}  // namespace limber
