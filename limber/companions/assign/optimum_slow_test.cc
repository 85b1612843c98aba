#include <gtest/gtest.h>

#include "limber/companions/assign/brute_force_for_test.h"
#include "limber/companions/assign/solve.h"
#include "limber/companions/assign/synthetic_instance.h"

namespace limber::assign {
namespace {

/// How near the search, with its default settings, comes to the best of all assignments.
struct Nearness {
  int seeds_equal = 0, seeds = 0;
  double worst_ratio = 1;  ///< (reward - worst) / (best - worst) over all assignments
  double worst_raw = 1;    ///< reward / best, where best is positive
};

void measure_seed(const MeasureDescription& measure, std::uint64_t seed,
                  const SyntheticOptions& size, Nearness& nearness) {
  Random random(seed);
  const Instance instance = small_instance(size, random);
  SolveOptions options;
  options.trade_offs = {0.2, 0.4, 0.6, 0.8};
  options.seed = seed;
  options.show_progress = false;
  const Solution solution = solve(instance, measure, options);
  const std::vector<Score> scores = every_score(instance, measure);
  bool equal = true;
  for (const SweepPoint& point : solution.sweep) {
    const Objective objective{point.trade_off, solution.fitness_unit, solution.diversity_unit};
    const BruteForce truth = brute_force(scores, objective);
    const double reward = objective.reward(exact_score(instance, measure, point.assignment));
    ASSERT_LE(reward, truth.best + 1e-9);
    equal &= reward >= truth.best - 1e-9;
    const double range = truth.best - truth.worst;
    if (range > 1e-9) {
      nearness.worst_ratio = std::min(nearness.worst_ratio, (reward - truth.worst) / range);
    }
    if (truth.best > 1e-9) {
      nearness.worst_raw = std::min(nearness.worst_raw, reward / truth.best);
    }
  }
  ++nearness.seeds;
  nearness.seeds_equal += equal ? 1 : 0;
}

void expect_near(const Nearness& nearness, std::string_view what) {
  EXPECT_GE(nearness.seeds_equal, 0.95 * nearness.seeds) << what;
  EXPECT_GE(nearness.worst_ratio, 0.98) << what;
  EXPECT_GE(nearness.worst_raw, 0.98) << what;
}

/// The sizes and kinds of instance: with few pairs, with negative fitness, square.
SyntheticOptions kind_of(std::uint64_t seed, Position most_positions, Candidate most_candidates) {
  Random random(mix64(seed));
  SyntheticOptions size;
  size.positions =
      static_cast<Position>(2 + random.below(static_cast<std::uint64_t>(most_positions - 1)));
  size.candidates = static_cast<Candidate>(
      size.positions +
      random.below(static_cast<std::uint64_t>(most_candidates - size.positions + 1)));
  if (seed % 3 == 0) size.eligible_share = 0.6;
  if (seed % 4 == 0) size.fitness_low = -1;
  return size;
}

TEST(Optimum, SmallInstancesAreSolved) {
  for (const MeasureDescription& measure : measures()) {
    Nearness nearness;
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
      measure_seed(measure, seed, kind_of(seed, 5, 7), nearness);
    }
    expect_near(nearness, measure.name);
  }
}

TEST(OptimumSlow, SevenPositionsAndNineCandidatesAreSolved) {
  for (const MeasureDescription& measure : measures()) {
    Nearness nearness;
    for (std::uint64_t seed = 101; seed <= 140; ++seed) {
      SyntheticOptions size = kind_of(seed, 7, 9);
      if (seed % 2 == 0) {
        size.positions = 7;
        size.candidates = 9;
      }
      measure_seed(measure, seed, size, nearness);
    }
    expect_near(nearness, measure.name);
  }
}

}  // namespace
}  // namespace limber::assign
