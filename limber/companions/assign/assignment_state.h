#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limber/companions/assign/diversity.h"
#include "limber/companions/assign/instance.h"
#include "limber/companions/assign/objective.h"

namespace limber::assign {

/// A position gets a candidate, whose fitness for it is given along.
struct Change {
  Position position = kNone;
  Candidate candidate = kNone;
  double fitness = 0;
};

/// An assignment that follows single changes: who sits where, its fitness, its diversity, how full
/// the quotas are. A change costs what the positions' neighbourhoods hold, not what the network
/// holds.
class AssignmentState {
 public:
  /// All positions open. The instance must outlive this.
  AssignmentState(const Instance& instance, const MeasureDescription& measure);

  const Instance& instance() const { return instance_; }
  const Assignment& assignment() const { return candidate_of_; }
  Candidate candidate_of(Position position) const {
    return candidate_of_[static_cast<std::size_t>(position)];
  }
  /// kNone for a free candidate.
  Position position_of(Candidate candidate) const {
    return position_of_[static_cast<std::size_t>(candidate)];
  }
  std::int32_t profile_at(Position position) const;
  double fitness_at(Position position) const {
    return fitness_at_[static_cast<std::size_t>(position)];
  }
  Score score() const { return {fitness_, diversity_.value()}; }
  /// More diversity than any network has: with it, what a change is worth at the very most.
  double ceiling() const { return diversity_.ceiling(); }
  bool quotas_hold() const;

  /// Every position gets its candidate of `assignment`; kNone opens it. Pairs must be eligible.
  void set(const Assignment& assignment);

  /// All changes at once: who is displaced by one must be placed by another or becomes free, and
  /// nobody is placed twice. `undo` takes back the last apply.
  void apply(std::span<const Change> changes);
  void undo();

  /// The diversity that `profile` at `position` would give, all else as it is.
  double diversity_with(Position position, std::int32_t profile);

 private:
  void place(std::span<const Change> changes);

  const Instance& instance_;
  Diversity diversity_;
  Assignment candidate_of_;
  std::vector<Position> position_of_;
  std::vector<double> fitness_at_;
  std::vector<std::int32_t> quota_filled_;
  double fitness_ = 0;
  std::vector<Change> before_;  ///< what undo puts back
};

/// The score of an assignment from scratch, without any state that followed changes: what is
/// reported. kNone leaves a position open.
Score exact_score(const Instance& instance, const MeasureDescription& measure,
                  const Assignment& assignment);

}  // namespace limber::assign
