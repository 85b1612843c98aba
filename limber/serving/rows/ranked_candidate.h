#pragma once

#include <cstddef>
#include <vector>

namespace limber {

/// A candidate with what the model thinks of it.
struct RankedCandidate {
  std::size_t index = 0;      ///< place in the request, from 0
  float score = 0;            ///< probability of the label that the order is by
  std::vector<float> scores;  ///< probability of each label, in the model's order
};

}  // namespace limber
