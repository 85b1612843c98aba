#include "limber/training/evaluate/normalized_entropy.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "limber/training/evaluate/log_loss.h"
#include "limber/training/evaluate/predictions.h"

namespace limber {

double binary_entropy(double rate) {
  if (rate <= 0 || rate >= 1) return 0;
  return -rate * std::log(rate) - (1 - rate) * std::log1p(-rate);
}

double normalized_entropy(double log_loss, double base_rate) {
  const double entropy = binary_entropy(base_rate);
  return entropy > 0 ? log_loss / entropy : std::numeric_limits<double>::quiet_NaN();
}

double normalized_entropy(std::span<const float> logits, std::span<const float> labels,
                          std::span<const float> weights) {
  const double loss = log_loss(logits, labels, weights);
  double positives = 0;
  double total = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    positives += weight_of(weights, i) * labels[i];
    total += weight_of(weights, i);
  }
  return normalized_entropy(loss, positives / total);
}

}  // namespace limber
