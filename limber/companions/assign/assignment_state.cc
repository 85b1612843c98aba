#include "limber/companions/assign/assignment_state.h"

#include "limber/core/base/error.h"

namespace limber::assign {

AssignmentState::AssignmentState(const Instance& instance, const MeasureDescription& measure)
    : instance_(instance),
      diversity_(instance, measure),
      candidate_of_(instance.positions.size(), kNone),
      position_of_(instance.profile_of.size(), kNone),
      fitness_at_(instance.positions.size(), 0),
      quota_filled_(instance.quotas.size(), 0) {}

std::int32_t AssignmentState::profile_at(Position position) const {
  const Candidate candidate = candidate_of(position);
  return candidate == kNone ? kNone : instance_.profile_of[static_cast<std::size_t>(candidate)];
}

bool AssignmentState::quotas_hold() const {
  for (std::size_t q = 0; q < quota_filled_.size(); ++q) {
    const Quota& quota = instance_.quotas[q];
    if (quota_filled_[q] < quota.at_least || quota_filled_[q] > quota.at_most) return false;
  }
  return true;
}

void AssignmentState::place(std::span<const Change> changes) {
  const auto count_quota = [&](Candidate candidate, std::int32_t sign) {
    if (quota_filled_.empty()) return;
    const std::int32_t quota = instance_.quota_of[static_cast<std::size_t>(candidate)];
    if (quota != kNone) quota_filled_[static_cast<std::size_t>(quota)] += sign;
  };
  for (const Change& change : changes) {
    const Candidate leaving = candidate_of(change.position);
    if (leaving == kNone) continue;
    position_of_[static_cast<std::size_t>(leaving)] = kNone;
    count_quota(leaving, -1);
  }
  for (const Change& change : changes) {
    const auto p = static_cast<std::size_t>(change.position);
    const std::int32_t old_profile = profile_at(change.position);
    candidate_of_[p] = change.candidate;
    fitness_ += change.fitness - fitness_at_[p];
    fitness_at_[p] = change.fitness;
    if (change.candidate != kNone) {
      position_of_[static_cast<std::size_t>(change.candidate)] = change.position;
      count_quota(change.candidate, +1);
    }
    const std::int32_t profile = profile_at(change.position);
    if (profile != old_profile) diversity_.fill(change.position, profile);
  }
}

void AssignmentState::apply(std::span<const Change> changes) {
  before_.clear();
  for (const Change& change : changes) {
    before_.push_back(
        {change.position, candidate_of(change.position), fitness_at(change.position)});
  }
  place(changes);
}

void AssignmentState::undo() {
  place(before_);
  before_.clear();
}

void AssignmentState::set(const Assignment& assignment) {
  std::vector<Change> changes;
  for (Position p = 0; p < instance_.position_count(); ++p) {
    const Candidate candidate = assignment[static_cast<std::size_t>(p)];
    if (candidate == candidate_of(p)) continue;
    if (candidate == kNone) {
      changes.push_back({p, kNone, 0});
      continue;
    }
    const Pair* pair = instance_.find(p, candidate);
    if (pair == nullptr) {
      throw Error("assignment: {} is not eligible for {}",
                  instance_.candidate_names[static_cast<std::size_t>(candidate)],
                  instance_.position_name(p));
    }
    changes.push_back({p, candidate, pair->fitness});
  }
  place(changes);
  before_.clear();
  // Summed anew, so that equal assignments have equal fitness to the bit.
  fitness_ = 0;
  for (const double fitness : fitness_at_) fitness_ += fitness;
}

double AssignmentState::diversity_with(Position position, std::int32_t profile) {
  const std::int32_t now = profile_at(position);
  if (profile == now) return diversity_.value();
  diversity_.fill(position, profile);
  const double value = diversity_.value();
  diversity_.fill(position, now);
  return value;
}

Score exact_score(const Instance& instance, const MeasureDescription& measure,
                  const Assignment& assignment) {
  AssignmentState state(instance, measure);
  state.set(assignment);
  return state.score();
}

}  // namespace limber::assign
