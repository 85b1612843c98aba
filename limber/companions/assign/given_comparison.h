#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "limber/companions/assign/front.h"
#include "limber/companions/assign/objective.h"

namespace limber::assign {

/// How an organisation's own assignment stands to the front: the benchmark for which FairEA (arXiv
/// 2105.06929) was proposed.
struct GivenComparison {
  Score score;
  bool on_front = false;         ///< nothing found is better on one count and no worse on the other
  std::size_t dominated_by = 0;  ///< points of the front that are
  /// The most diverse point that is no less fit, and the fittest that is no less diverse; none
  /// where the given assignment is beyond the front's end.
  std::optional<Score> no_less_fit, no_less_diverse;
};

GivenComparison compare_given(const Score& given, const Front& front);

/// One or two sentences about it, plain text.
std::string describe(const GivenComparison& comparison);

}  // namespace limber::assign
