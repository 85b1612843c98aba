#pragma once

#include <vector>

#include "limber/companions/assign/assignment_state.h"
#include "limber/companions/assign/deadline.h"
#include "limber/companions/assign/front.h"
#include "limber/companions/assign/matching.h"
#include "limber/core/base/random.h"

namespace limber::assign {

/// Runs searches on one instance and collects what they come by in a front.
class Searcher {
 public:
  /// Instance and measure must outlive this.
  Searcher(const Instance& instance, const MeasureDescription& measure, std::uint64_t seed);

  /// Linearised search, local search, `kicks`, and a last matching within the profiles found; from
  /// `start`, or from open positions where that is empty. The result is in the front afterwards.
  void search(const Objective& objective, const Assignment& start, int kicks,
              const Deadline& deadline);

  /// The first matching of a search from open positions, and no more.
  void match_once(const Objective& objective);

  /// A matching of random weights. The instance must be feasible.
  Assignment random_assignment();
  Assignment heaviest(std::span<const double> weights);

  const Front& front() const { return front_; }
  /// Takes an assignment into the front by its exact score.
  void collect(const Assignment& assignment);

 private:
  const Instance& instance_;
  const MeasureDescription& measure_;
  Matching matching_;
  AssignmentState state_;
  Random random_;
  Front front_;
};

}  // namespace limber::assign
