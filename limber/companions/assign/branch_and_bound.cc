#include "limber/companions/assign/branch_and_bound.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace limber::assign {
namespace {

class Tree {
 public:
  Tree(const Instance& instance, const MeasureDescription& measure, const Objective& objective,
       const Deadline& deadline)
      : instance_(instance),
        measure_(measure),
        objective_(objective),
        deadline_(deadline),
        matching_(instance),
        diversity_(instance, measure),
        profile_(instance.positions.size(), kNone),
        order_(instance.positions.size()) {
    std::iota(order_.begin(), order_.end(), Position{0});
    const auto degree = [&](Position p) {
      return instance.network.degree(instance.positions[static_cast<std::size_t>(p)]);
    };
    std::stable_sort(order_.begin(), order_.end(),
                     [&](Position a, Position b) { return degree(a) > degree(b); });
    const double none = -std::numeric_limits<double>::infinity();
    fittest_.assign(order_.size(), std::vector<double>(instance.profiles.size(), none));
    for (Position p = 0; p < instance.position_count(); ++p) {
      for (const Pair& pair : instance.pairs_of(p)) {
        double& best = fittest_[at(p)][profile_of(pair.candidate)];
        best = std::max(best, pair.fitness);
      }
    }
    double open = 0;
    open_fitness_.assign(order_.size() + 1, 0);
    for (std::size_t depth = order_.size(); depth-- > 0;) {
      const std::vector<double>& row = fittest_[at(order_[depth])];
      open += *std::max_element(row.begin(), row.end());
      open_fitness_[depth] = open;
    }
    members_.assign(instance.profiles.size(), 0);
    for (const std::int32_t profile : instance.profile_of) {
      ++members_[static_cast<std::size_t>(profile)];
    }
  }

  ExactResult run(const Assignment& start) {
    if (!start.empty()) take(start, exact_score(instance_, measure_, start));
    best_.proven = descend(0, 0);
    return best_;
  }

 private:
  static std::size_t at(Position position) { return static_cast<std::size_t>(position); }
  std::size_t profile_of(Candidate candidate) const {
    return static_cast<std::size_t>(instance_.profile_of[static_cast<std::size_t>(candidate)]);
  }

  void take(const Assignment& assignment, const Score& score) {
    best_.assignment = assignment;
    best_.score = score;
  }

  /// No better than the best, by more than the rounding of `better`.
  bool hopeless(double fitness) const {
    const Score bound{fitness, diversity_.upper_bound()};
    const double slack = 1e-9 * (1 + std::abs(objective_.reward(bound)));
    return !best_.assignment.empty() &&
           objective_.reward(bound) + slack < objective_.reward(best_.score);
  }

  /// False when the deadline cut the search.
  bool descend(std::size_t depth, double fitness) {
    ++best_.nodes;
    if (deadline_.passed()) return false;
    if (hopeless(fitness + open_fitness_[depth])) return true;
    if (depth == order_.size()) {
      leaf();
      return true;
    }
    const Position p = order_[depth];
    for (std::size_t profile = 0; profile < instance_.profiles.size(); ++profile) {
      const double best = fittest_[at(p)][profile];
      if (members_[profile] == 0 || best == -std::numeric_limits<double>::infinity()) continue;
      --members_[profile];
      profile_[at(p)] = static_cast<std::int32_t>(profile);
      diversity_.fill(p, profile_[at(p)]);
      const bool whole = descend(depth + 1, fitness + best);
      diversity_.fill(p, kNone);
      ++members_[profile];
      if (!whole) return false;
    }
    return true;
  }

  void leaf() {
    std::vector<double> weights;
    for (Position p = 0; p < instance_.position_count(); ++p) {
      for (const Pair& pair : instance_.pairs_of(p)) {
        const bool alike = profile_of(pair.candidate) == static_cast<std::size_t>(profile_[at(p)]);
        weights.push_back(alike ? pair.fitness : kForbidden);
      }
    }
    Assignment assignment;
    if (!matching_.solve(weights, assignment)) return;
    const Score score = exact_score(instance_, measure_, assignment);
    if (best_.assignment.empty() || objective_.better(score, best_.score)) take(assignment, score);
  }

  const Instance& instance_;
  const MeasureDescription& measure_;
  const Objective& objective_;
  const Deadline& deadline_;
  Matching matching_;
  Diversity diversity_;
  std::vector<std::int32_t> profile_;         ///< by position
  std::vector<Position> order_;               ///< by depth
  std::vector<std::vector<double>> fittest_;  ///< [position][profile]
  std::vector<double> open_fitness_;          ///< by depth: what the positions from there on bring
  std::vector<std::int32_t> members_;         ///< by profile: candidates not yet claimed
  ExactResult best_;
};

}  // namespace

ExactResult branch_and_bound(const Instance& instance, const MeasureDescription& measure,
                             const Objective& objective, const Assignment& start,
                             const Deadline& deadline) {
  return Tree(instance, measure, objective, deadline).run(start);
}

}  // namespace limber::assign
