#include "limber/training/layers/isotonic.h"

#include <cmath>
#include <limits>

namespace limber {

IsotonicCalibrationImpl::IsotonicCalibrationImpl(std::int64_t labels, std::int64_t context_width,
                                                 const CalibrationOptions& options,
                                                 torch::TensorOptions tensor)
    : floor_(options.floor) {
  const std::int64_t buckets = options.buckets;
  // floor + softplus(w) = 1
  const double start = std::log(std::expm1(1 - options.floor));
  slopes = register_parameter("slopes", torch::full({labels, buckets}, start, tensor));
  shift = register_parameter("shift", torch::zeros({labels}, tensor));
  if (context_width > 0) {
    context = register_parameter("context",
                                 torch::zeros({context_width, labels * (buckets + 1)}, tensor));
  }
  torch::Tensor edges = torch::linspace(-options.range, options.range, buckets + 1,
                                        torch::TensorOptions().dtype(torch::kDouble));
  edges[0] = -std::numeric_limits<double>::infinity();
  edges[buckets] = std::numeric_limits<double>::infinity();
  lower_ = edges.narrow(0, 0, buckets).to(tensor);
  upper_ = edges.narrow(0, 1, buckets).to(tensor);
}

torch::Tensor IsotonicCalibrationImpl::forward(const torch::Tensor& logits,
                                               const torch::Tensor& features) {
  const std::int64_t rows = logits.size(0), labels = shift.size(0), buckets = slopes.size(1);
  const torch::Tensor zero = torch::zeros({1}, logits.options());
  // How much of the way from 0 to the logit lies in each bucket: [rows, labels, buckets].
  const torch::Tensor lengths =
      torch::minimum(torch::maximum(logits.unsqueeze(2), lower_), upper_) -
      torch::minimum(torch::maximum(zero, lower_), upper_);
  torch::Tensor raised = slopes, moved = shift;
  if (context.defined()) {
    const torch::Tensor own = torch::mm(features, context).view({rows, labels, buckets + 1});
    raised = raised + own.narrow(2, 0, buckets);
    moved = moved + own.select(2, buckets);
  }
  return ((floor_ + torch::softplus(raised)) * lengths).sum(2) + moved;
}

}  // namespace limber
