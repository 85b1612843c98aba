#include "limber/companions/screen/selection.h"

#include <algorithm>

namespace limber::screen {

FdrThreshold fdr_threshold(std::span<double> zero_probabilities, double rate) {
  std::sort(zero_probabilities.begin(), zero_probabilities.end());
  FdrThreshold best;
  double sum = 0;
  for (std::size_t i = 0; i < zero_probabilities.size(); ++i) {
    sum += zero_probabilities[i];
    const bool tied =
        i + 1 < zero_probabilities.size() && zero_probabilities[i + 1] == zero_probabilities[i];
    // The running mean never falls, so the last set that passes is the largest.
    if (!tied && sum <= rate * static_cast<double>(i + 1)) {
      best = {.zero = zero_probabilities[i], .features = static_cast<std::int64_t>(i + 1)};
    }
  }
  return best;
}

}  // namespace limber::screen
