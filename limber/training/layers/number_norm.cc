#include "limber/training/layers/number_norm.h"

#include <cmath>

namespace limber {
namespace {

constexpr double kEpsilon = 1e-5, kMomentum = 0.01;

torch::Tensor places(const std::vector<std::int64_t>& values, const torch::TensorOptions& tensor) {
  return torch::tensor(values, torch::kLong).to(tensor.device());
}

}  // namespace

NumberNormImpl::NumberNormImpl(const InputLayout& layout, torch::TensorOptions tensor) {
  std::vector<std::int64_t> starts(layout.source_widths.size());
  for (std::size_t s = 0; s < starts.size(); ++s) {
    starts[s] = width_;
    width_ += layout.source_widths[s];
  }
  std::vector<std::int64_t> columns, marked, marks;
  for (const InputFeature& feature : layout.features) {
    const bool number = feature.kind == FeatureKind::number && feature.table < 0;
    number_of_.push_back(number ? static_cast<std::int64_t>(columns.size()) : -1);
    if (!number) continue;
    const std::int64_t column = starts[static_cast<std::size_t>(feature.source)] + feature.offset;
    if (feature.width == 2) {
      marked.push_back(static_cast<std::int64_t>(columns.size()));
      marks.push_back(column + 1);
    }
    columns.push_back(column);
  }
  columns_ = places(columns, tensor);
  marked_ = places(marked, tensor);
  marks_ = places(marks, tensor);
  const auto numbers = static_cast<std::int64_t>(columns.size());
  mean = register_buffer("mean", torch::zeros({numbers}, tensor));
  variance = register_buffer("variance", torch::full({numbers}, 1 - kEpsilon, tensor));
}

torch::Tensor NumberNormImpl::forward(const torch::Tensor& inputs) {
  if (columns_.numel() == 0) return inputs;
  torch::Tensor present = torch::ones({inputs.size(0), columns_.numel()}, inputs.options());
  torch::Tensor centre = mean, spread = variance;
  {
    const torch::NoGradGuard no_grad;
    present.index_add_(1, marked_, -inputs.index_select(1, marks_));
    if (is_training()) {
      const torch::Tensor numbers = inputs.index_select(1, columns_);
      torch::Tensor count_and_sum = torch::stack({present.sum(0), (numbers * present).sum(0)});
      if (ranks) ranks->all_reduce(count_and_sum);
      const torch::Tensor known = count_and_sum[0] > 0, divisor = count_and_sum[0].clamp_min(1);
      centre = torch::where(known, count_and_sum[1] / divisor, mean);
      const torch::Tensor squares = ((numbers - centre).square() * present).sum(0);
      if (ranks) ranks->all_reduce(squares);
      spread = torch::where(known, squares / divisor, variance);
      mean.lerp_(centre, kMomentum);
      variance.lerp_(spread, kMomentum);
    }
  }
  // y = x / s - m / s where the number is present; all other columns as they are.
  const torch::Tensor inverse = (spread + kEpsilon).rsqrt();
  const torch::Tensor scale =
      torch::ones({width_}, inputs.options()).index_copy(0, columns_, inverse);
  return (inputs * scale).index_add(1, columns_, present * (-centre * inverse));
}

FeatureEncoder NumberNormImpl::folded(FeatureEncoder encoder, std::size_t index) const {
  const std::int64_t number = number_of_[index];
  if (number < 0) return encoder;
  const double m = mean[number].item<double>(), v = variance[number].item<double>();
  encoder.mean += encoder.deviation * m;
  encoder.deviation *= std::sqrt(v + kEpsilon);
  return encoder;
}

}  // namespace limber
