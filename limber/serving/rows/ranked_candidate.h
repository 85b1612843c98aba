#pragma once

#include <cstddef>
#include <vector>

namespace limber {

/// A candidate with what the model thinks of it.
struct RankedCandidate {
  std::size_t index = 0;      ///< place in the request, from 0
  float score = 0;            ///< what the order is by: a label's probability, or the model's score
  std::vector<float> scores;  ///< probability of each label, in the model's order
};

}  // namespace limber
