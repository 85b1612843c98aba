#pragma once

#include <cstdint>
#include <span>

namespace limber::screen {

/// Thresholding at a false-discovery rate: the largest set of features, taken in the order of their
/// probability of being zero, whose mean probability (the expected share of zeros among them) is at
/// most `rate`.
struct FdrThreshold {
  double zero = -1;  ///< features with a probability up to this one are selected
  std::int64_t features = 0;
};

/// Sorts `zero_probabilities` in place. Features with the same probability stand or fall together.
FdrThreshold fdr_threshold(std::span<double> zero_probabilities, double rate);

}  // namespace limber::screen
