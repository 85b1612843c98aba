#pragma once

#include <cmath>
#include <span>

namespace limber {

/// Cross-entropy in nats of one row: -log sigmoid(logit) for label 1, -log(1 - sigmoid(logit)) for
/// label 0, written so that it neither overflows nor loses the small tail for a large logit.
inline double row_log_loss(double logit, double label) {
  return std::fmax(logit, 0.0) - logit * label + std::log1p(std::exp(-std::abs(logit)));
}

/// Weighted mean of the rows' cross-entropies, in nats. NaN without rows. Throws as check_rows.
double log_loss(std::span<const float> logits, std::span<const float> labels,
                std::span<const float> weights = {});

}  // namespace limber
