#pragma once

#include <span>

namespace limber {

/// Entropy in nats of a coin that shows 1 with probability `rate`; 0 at both ends.
double binary_entropy(double rate);

/// Log loss divided by the entropy of the base rate (He et al. 2014, "Practical lessons from
/// predicting clicks on ads at Facebook", section 3): 1 is what always predicting the base rate
/// scores, below 1 is better. NaN when one class is missing: the entropy is then 0.
double normalized_entropy(double log_loss, double base_rate);

/// The same from the rows, whose own (weighted) share of positives is the base rate. Throws as
/// check_rows.
double normalized_entropy(std::span<const float> logits, std::span<const float> labels,
                          std::span<const float> weights = {});

}  // namespace limber
