#include "limber/serving/runtime/step_attention.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "limber/serving/runtime/step_attention.cc"
#include <hwy/foreach_target.h>
// Highway's loop over targets must come first.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace limber {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// shares <- exp(scale (shares - most)), and their sum.
float ExpRow(float* shares, float most, float scale, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sums = hn::Zero(d);
  std::int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    const auto below =
        hn::Mul(hn::Sub(hn::LoadU(d, shares + j), hn::Set(d, most)), hn::Set(d, scale));
    const auto share = hn::Exp(d, below);
    hn::StoreU(share, d, shares + j);
    sums = hn::Add(sums, share);
  }
  float total = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; j < count; ++j) total += shares[j] = std::exp((shares[j] - most) * scale);
  return total;
}

// Sums run over one index while the other lies in a vector, so that no product waits for another.
void StepAttention(const float* HWY_RESTRICT parts, std::int64_t row, std::int64_t query,
                   std::int64_t key, std::int64_t value, std::int64_t steps, std::int64_t width,
                   float* HWY_RESTRICT scratch, float* HWY_RESTRICT to, std::int64_t to_row) {
  float* HWY_RESTRICT keys = scratch;  // [width, steps]
  float* HWY_RESTRICT shares = scratch + width * steps;
  for (std::int64_t j = 0; j < steps; ++j) {
    for (std::int64_t c = 0; c < width; ++c) keys[c * steps + j] = parts[j * row + key + c];
  }
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  for (std::int64_t i = 0; i < steps; ++i) {
    std::fill_n(shares, steps, 0.0F);
    for (std::int64_t c = 0; c < width; ++c) {
      const float factor = parts[i * row + query + c];
      const float* HWY_RESTRICT of = keys + c * steps;
      for (std::int64_t j = 0; j < steps; ++j) shares[j] += factor * of[j];
    }
    const float most = *std::max_element(shares, shares + steps);
    const float total = ExpRow(shares, most, scale, steps);
    float* HWY_RESTRICT sum = to + i * to_row;
    std::fill_n(sum, width, 0.0F);
    for (std::int64_t j = 0; j < steps; ++j) {
      const float share = shares[j] / total;
      const float* HWY_RESTRICT of = parts + j * row + value;
      for (std::int64_t c = 0; c < width; ++c) sum[c] += share * of[c];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace limber
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limber {

HWY_EXPORT(StepAttention);

void step_attention(const float* parts, std::int64_t row, std::int64_t query, std::int64_t key,
                    std::int64_t value, std::int64_t steps, std::int64_t width, float* scratch,
                    float* to, std::int64_t to_row) {
  HWY_DYNAMIC_DISPATCH(StepAttention)
  (parts, row, query, key, value, steps, width, scratch, to, to_row);
}

void normalize_rows(const float* x, const float* gain, const float* bias, std::int64_t row,
                    std::int64_t rows, std::int64_t width, float* to) {
  constexpr double kEpsilon = 1e-5;  // as training/layers/transformer.h
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* from = x + i * row;
    double sum = 0, squares = 0;
    for (std::int64_t j = 0; j < width; ++j) sum += from[j];
    const double mean = sum / static_cast<double>(width);
    for (std::int64_t j = 0; j < width; ++j) squares += (from[j] - mean) * (from[j] - mean);
    const auto factor =
        static_cast<float>(1 / std::sqrt(squares / static_cast<double>(width) + kEpsilon));
    const auto middle = static_cast<float>(mean);
    float* result = to + i * row;
    for (std::int64_t j = 0; j < width; ++j) {
      result[j] = (from[j] - middle) * factor * gain[j] + bias[j];
    }
  }
}

}  // namespace limber
#endif  // HWY_ONCE
