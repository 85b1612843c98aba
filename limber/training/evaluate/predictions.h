#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace limber {

/// What a model said about n rows, and what came true. Every metric of this room reads these spans;
/// none of them is copied or owned.
struct Predictions {
  std::span<const float> logits;         ///< n finite numbers; probability = sigmoid(logit)
  std::span<const float> labels;         ///< n values, each 0 or 1
  std::span<const float> weights;        ///< n values >= 0, or empty: every row counts once
  std::span<const std::int64_t> groups;  ///< n member ids in any order, or empty: no members

  std::size_t size() const { return logits.size(); }
};

/// Throws Error when the spans differ in length, and InputError naming the row for a score that is
/// not finite, a label that is neither 0 nor 1, or a weight that is negative or not finite.
void check_rows(std::span<const float> scores, std::span<const float> labels,
                std::span<const float> weights);

/// The same for all four spans.
void check_predictions(const Predictions& predictions);

/// 1 / (1 + exp(-logit)), exact at both ends.
inline double sigmoid(double logit) {
  const double tail = std::exp(-std::abs(logit));
  return logit >= 0 ? 1 / (1 + tail) : tail / (1 + tail);
}

/// Weight of row i where `weights` may be empty.
inline double weight_of(std::span<const float> weights, std::size_t i) {
  return weights.empty() ? 1.0 : static_cast<double>(weights[i]);
}

}  // namespace limber
