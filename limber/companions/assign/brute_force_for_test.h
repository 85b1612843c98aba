#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "limber/companions/assign/assignment_state.h"

namespace limber::assign {

/// The best and the worst reward over every assignment, each tried; for tests and benchmarks.
struct BruteForce {
  double best = -std::numeric_limits<double>::infinity();
  double worst = std::numeric_limits<double>::infinity();
  std::int64_t assignments = 0;
};

/// Scores of every assignment that fills all positions within the quotas, in no stated order.
inline std::vector<Score> every_score(const Instance& instance, const MeasureDescription& measure) {
  std::vector<Score> scores;
  AssignmentState state(instance, measure);
  const auto descend = [&](const auto& self, Position p) -> void {
    if (p == instance.position_count()) {
      if (state.quotas_hold()) scores.push_back(state.score());
      return;
    }
    for (const Pair& pair : instance.pairs_of(p)) {
      if (state.position_of(pair.candidate) != kNone) continue;
      const Change take{p, pair.candidate, pair.fitness};
      const Change leave{p, kNone, 0};
      state.apply({&take, 1});
      self(self, p + 1);
      state.apply({&leave, 1});
    }
  };
  descend(descend, 0);
  return scores;
}

inline BruteForce brute_force(const std::vector<Score>& scores, const Objective& objective) {
  BruteForce result;
  for (const Score& score : scores) {
    const double reward = objective.reward(score);
    result.best = std::max(result.best, reward);
    result.worst = std::min(result.worst, reward);
    ++result.assignments;
  }
  return result;
}

}  // namespace limber::assign
