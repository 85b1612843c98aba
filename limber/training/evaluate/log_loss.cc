#include "limber/training/evaluate/log_loss.h"

#include <cstddef>
#include <limits>

#include "limber/training/evaluate/predictions.h"

namespace limber {

double log_loss(std::span<const float> logits, std::span<const float> labels,
                std::span<const float> weights) {
  check_rows(logits, labels, weights);
  double sum = 0;
  double total = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double weight = weight_of(weights, i);
    sum += weight * row_log_loss(logits[i], labels[i]);
    total += weight;
  }
  return total > 0 ? sum / total : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace limber
