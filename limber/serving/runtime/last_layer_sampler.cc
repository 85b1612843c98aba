#include "limber/serving/runtime/last_layer_sampler.h"

#include <cmath>

#include "limber/core/base/error.h"
#include "limber/serving/runtime/row_kernels.h"

namespace limber {

LastLayerSampler::LastLayerSampler(std::vector<float> mean, std::vector<float> factor)
    : mean_(std::move(mean)), factor_(std::move(factor)) {
  if (mean_.empty()) throw InputError("last layer sampler: the mean is empty");
  if (factor_.size() != dim() * (dim() + 1) / 2) {
    throw InputError("last layer sampler: the factor has {} elements; {} weights need {}",
                     factor_.size(), dim(), dim() * (dim() + 1) / 2);
  }
  for (std::size_t i = 0; i < dim(); ++i) {
    if (!std::isfinite(mean_[i])) {
      throw InputError("last layer sampler: element {} of the mean is {}", i, mean_[i]);
    }
  }
  std::size_t next = 0;
  for (std::size_t row = 0; row < dim(); ++row) {
    for (std::size_t column = 0; column <= row; ++column, ++next) {
      if (!std::isfinite(factor_[next]) || (row == column && factor_[next] <= 0)) {
        throw InputError("last layer sampler: element ({}, {}) of the factor is {}", row, column,
                         factor_[next]);
      }
    }
  }
}

void LastLayerSampler::draw(Random& random, float nu, std::span<float> weights) const {
  if (weights.size() != dim()) {
    throw Error("last layer sampler: room for {} weights of {}", weights.size(), dim());
  }
  for (float& value : weights) value = nu * static_cast<float>(random.normal());
  // Solves L' x = nu eps from the last element to the first. Each known element is taken out of all
  // equations before it at once, which reads L, as it is stored, a row at a time.
  const float* row = factor_.data() + factor_.size();
  for (std::size_t i = dim(); i-- > 0;) {
    row -= i + 1;
    weights[i] /= row[i];
    add_scaled(row, -weights[i], weights.data(), static_cast<std::int64_t>(i));
  }
  for (std::size_t i = 0; i < dim(); ++i) weights[i] += mean_[i];
}

}  // namespace limber
