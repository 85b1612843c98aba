#pragma once

#include <cstdint>

#include "limber/companions/assign/assignment_state.h"
#include "limber/companions/assign/deadline.h"
#include "limber/companions/assign/matching.h"

namespace limber::assign {

struct ExactResult {
  Assignment assignment;  ///< empty when the deadline came before any was found
  Score score;
  bool proven = false;     ///< the whole tree was searched
  std::int64_t nodes = 0;  ///< of the tree
};

/// The best assignment of all, for small instances. Diversity depends on profiles alone, so the
/// tree branches on the profile of each position, the best-connected position first; a leaf is a
/// matching of fitness within its profiles. A branch is cut where the fittest candidate of every
/// position and the measure's own upper bound together are no better than what is known. There are
/// up to profiles^positions leaves.
///
/// `start` (may be empty) is an assignment to begin from; a good one cuts early.
ExactResult branch_and_bound(const Instance& instance, const MeasureDescription& measure,
                             const Objective& objective, const Assignment& start,
                             const Deadline& deadline);

}  // namespace limber::assign
