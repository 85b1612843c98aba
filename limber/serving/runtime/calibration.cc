#include "limber/serving/runtime/calibration.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

float softplus(float value) {
  return std::max(value, 0.0F) + std::log1p(std::exp(-std::abs(value)));
}

}  // namespace

FrozenCalibration FrozenCalibration::load(const DenseTensors& tensors, const std::string& name,
                                          const CalibrationOptions& options, std::int64_t labels,
                                          std::int64_t inputs_width) {
  FrozenCalibration calibration;
  calibration.labels_ = labels;
  calibration.buckets_ = options.buckets;
  calibration.range_ = static_cast<float>(options.range);
  calibration.floor_ = static_cast<float>(options.floor);
  const std::int64_t buckets = options.buckets, width = calibration.curve_width();
  const auto slopes = tensors.take(name + ".slopes", {labels, buckets});
  const auto shift = tensors.take(name + ".shift", {labels});
  calibration.raw_ = AlignedFloats(padded(width));
  calibration.base_ = AlignedFloats(padded(width));
  for (std::int64_t l = 0; l < labels; ++l) {
    const std::int64_t at = l * (buckets + 1);
    for (std::int64_t i = 0; i < buckets; ++i) {
      const float raw = slopes[static_cast<std::size_t>(l * buckets + i)];
      calibration.raw_[at + i] = raw;
      calibration.base_[at + i] = calibration.floor_ + softplus(raw);
    }
    calibration.raw_[at + buckets] = calibration.base_[at + buckets] =
        shift[static_cast<std::size_t>(l)];
  }
  if (inputs_width > 0) {
    const AlignedFloats context =
        reordered(tensors.take(name + ".context", {inputs_width, width}), inputs_width, width);
    calibration.context_ = PackedMatrix(context.data(), inputs_width, width, padded(width));
  }
  return calibration;
}

Curves FrozenCalibration::curves(const float* inputs, std::int64_t rows,
                                 Workspace& workspace) const {
  const std::int64_t width = curve_width(), row = padded(width);
  float* values = workspace.take(rows, width);
  Product product = context_.product(inputs, padded(context_.inner()), rows);
  product.start = raw_.data();
  product.c = values;
  product.c_row = row;
  multiply(product);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t l = 0; l < labels_; ++l) {
      float* slopes = values + i * row + l * (buckets_ + 1);
      for (std::int64_t b = 0; b < buckets_; ++b) slopes[b] = floor_ + softplus(slopes[b]);
    }
  }
  return {values, row};
}

void FrozenCalibration::apply(const Curves& curves, std::int64_t rows, float* logits,
                              float* slopes) const {
  const float step = 2 * range_ / static_cast<float>(buckets_);
  const auto lower = [&](std::int64_t bucket) {
    return -range_ + step * static_cast<float>(bucket);
  };
  const auto bucket_of = [&](float logit) {
    const auto bucket = static_cast<std::int64_t>(
        std::floor(std::clamp((logit + range_) / step, 0.0F, static_cast<float>(buckets_ - 1))));
    return std::clamp<std::int64_t>(bucket, 0, buckets_ - 1);
  };
  const std::int64_t zero = bucket_of(0);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t l = 0; l < labels_; ++l) {
      const float* curve = curves.values + i * curves.row + l * (buckets_ + 1);
      float& logit = logits[i * labels_ + l];
      const std::int64_t at = bucket_of(logit);
      if (slopes != nullptr) slopes[i * labels_ + l] = curve[at];
      // The way from 0 to the logit, bucket by bucket.
      float sum = curve[buckets_];
      if (at == zero) {
        sum += curve[at] * logit;
      } else if (at > zero) {
        sum += curve[zero] * lower(zero + 1);
        for (std::int64_t b = zero + 1; b < at; ++b) sum += curve[b] * step;
        sum += curve[at] * (logit - lower(at));
      } else {
        sum += curve[zero] * lower(zero);
        for (std::int64_t b = at + 1; b < zero; ++b) sum -= curve[b] * step;
        sum += curve[at] * (logit - lower(at + 1));
      }
      logit = sum;
    }
  }
}

}  // namespace limber
