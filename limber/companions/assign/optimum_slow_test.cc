#include <gtest/gtest.h>

#include "limber/companions/assign/brute_force_for_test.h"
#include "limber/companions/assign/solve.h"
#include "limber/companions/assign/synthetic_instance.h"

namespace limber::assign {
namespace {

TEST(OptimumSlow, SearchMeetsBruteForce) {
  for (const MeasureDescription& measure : measures()) {
    int equal = 0, all = 0;
    double worst_ratio = 1;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      Random random(seed);
      SyntheticOptions size;
      size.positions = static_cast<Position>(3 + random.below(5));
      size.candidates = static_cast<Candidate>(
          size.positions + random.below(static_cast<std::uint64_t>(10 - size.positions)));
      size.eligible_share = seed % 2 == 0 ? 1.0 : 0.6;
      const Instance instance = small_instance(size, random);
      SolveOptions options;
      options.trade_offs = {0.25, 0.5, 0.75};
      options.starts = 2;
      options.kicks = 20;
      options.seed = seed;
      const Solution solution = solve(instance, measure, options);
      const std::vector<Score> scores = every_score(instance, measure);
      for (const SweepPoint& point : solution.sweep) {
        const Objective objective{point.trade_off, solution.fitness_unit, solution.diversity_unit};
        const BruteForce truth = brute_force(scores, objective);
        const double range = truth.best - truth.worst;
        const double reward = objective.reward(point.score);
        ASSERT_LE(reward, truth.best + 1e-9);
        const double ratio = range > 1e-12 ? (reward - truth.worst) / range : 1;
        ++all;
        equal += reward >= truth.best - 1e-9 ? 1 : 0;
        worst_ratio = std::min(worst_ratio, ratio);
      }
    }
    printf("%s %d/%d worst %f\n", std::string(measure.name).c_str(), equal, all, worst_ratio);
    EXPECT_GE(equal, 0.95 * all) << measure.name;
    EXPECT_GE(worst_ratio, 0.98) << measure.name;
  }
}

}  // namespace
}  // namespace limber::assign
