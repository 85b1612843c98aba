#include "limber/companions/assign/linearised_search.h"

#include <algorithm>
#include <numeric>

namespace limber::assign {
namespace {

constexpr int kMostMatchings = 50;  ///< a bound never met so far; each one must improve

/// The independent parts of the difference between two assignments: changes that must be made
/// together because one position takes what another gives.
std::vector<std::vector<Change>> parts_of(const AssignmentState& state, const Assignment& target) {
  const Instance& instance = state.instance();
  std::vector<std::size_t> parent(target.size());
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  const auto root = [&](std::size_t p) {
    while (parent[p] != p) p = parent[p] = parent[parent[p]];
    return p;
  };
  for (std::size_t p = 0; p < target.size(); ++p) {
    if (target[p] == state.candidate_of(static_cast<Position>(p))) continue;
    const Position giver = state.position_of(target[p]);
    if (giver != kNone) parent[root(p)] = root(static_cast<std::size_t>(giver));
  }
  std::vector<std::vector<Change>> by_root(target.size());
  for (std::size_t p = 0; p < target.size(); ++p) {
    const auto position = static_cast<Position>(p);
    if (target[p] == state.candidate_of(position)) continue;
    by_root[root(p)].push_back({position, target[p], instance.find(position, target[p])->fitness});
  }
  std::erase_if(by_root, [](const auto& part) { return part.empty(); });
  return by_root;
}

bool try_changes(AssignmentState& state, const std::vector<Change>& changes,
                 const Objective& objective) {
  const Score before = state.score();
  state.apply(changes);
  if (state.quotas_hold() && objective.better(state.score(), before)) return true;
  state.undo();
  return false;
}

}  // namespace

std::vector<double> linearised_weights(AssignmentState& state, const Objective& objective) {
  const Instance& instance = state.instance();
  std::vector<double> weights;
  weights.reserve(instance.pairs.size());
  const double unknown = kForbidden;
  std::vector<double> gain(instance.profiles.size());
  const double now = state.score().diversity;
  for (Position p = 0; p < instance.position_count(); ++p) {
    std::fill(gain.begin(), gain.end(), unknown);
    for (const Pair& pair : instance.pairs_of(p)) {
      const std::int32_t profile = instance.profile_of[static_cast<std::size_t>(pair.candidate)];
      double& gained = gain[static_cast<std::size_t>(profile)];
      if (gained == unknown) {
        gained = objective.trade_off > 0 ? state.diversity_with(p, profile) - now : 0;
      }
      weights.push_back(objective.reward({pair.fitness, gained}));
    }
  }
  return weights;
}

int linearised_search(AssignmentState& state, Matching& matching, const Objective& objective,
                      const Deadline& deadline, Front& front) {
  Assignment target;
  int matchings = 0;
  bool improved = true;
  while (improved && matchings < kMostMatchings) {
    const bool empty = state.candidate_of(0) == kNone;
    if (!empty && deadline.passed()) break;
    const std::vector<double> weights = linearised_weights(state, objective);
    ++matchings;
    if (!matching.solve(weights, target)) break;
    if (empty) {
      state.set(target);
      front.offer(state);
      continue;
    }
    std::vector<std::vector<Change>> parts = parts_of(state, target);
    std::vector<Change> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    if (all.empty()) break;
    improved = try_changes(state, all, objective);
    if (improved) front.offer(state);
    if (improved || parts.size() == 1) continue;
    std::vector<double> promise(parts.size(), 0);
    const auto weight_of = [&](Position position, Candidate candidate) {
      const Instance& instance = state.instance();
      return weights[static_cast<std::size_t>(instance.find(position, candidate) -
                                              instance.pairs.data())];
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (const Change& change : parts[i]) {
        promise[i] += weight_of(change.position, change.candidate) -
                      weight_of(change.position, state.candidate_of(change.position));
      }
    }
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return promise[a] > promise[b]; });
    for (const std::size_t i : order) {
      if (!try_changes(state, parts[i], objective)) continue;
      improved = true;
      front.offer(state);
    }
  }
  return matchings;
}

void refit(AssignmentState& state, Matching& matching) {
  const Instance& instance = state.instance();
  std::vector<double> weights;
  weights.reserve(instance.pairs.size());
  for (Position p = 0; p < instance.position_count(); ++p) {
    for (const Pair& pair : instance.pairs_of(p)) {
      const bool alike =
          instance.profile_of[static_cast<std::size_t>(pair.candidate)] == state.profile_at(p);
      weights.push_back(alike ? pair.fitness : kForbidden);
    }
  }
  Assignment fittest;
  if (!matching.solve(weights, fittest)) return;
  const Assignment before = state.assignment();
  const double fitness = state.score().fitness;
  state.set(fittest);
  // Weights are rounded inside the matching; what is lost to rounding is not worth taking.
  if (state.score().fitness < fitness) state.set(before);
}

}  // namespace limber::assign
