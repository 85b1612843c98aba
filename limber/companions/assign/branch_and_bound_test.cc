#include "limber/companions/assign/branch_and_bound.h"

#include <gtest/gtest.h>

#include "limber/companions/assign/brute_force_for_test.h"
#include "limber/companions/assign/synthetic_instance.h"

namespace limber::assign {
namespace {

TEST(BranchAndBound, IsBruteForceWithFewerNodes) {
  for (const MeasureDescription& measure : measures()) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      Random random(seed);
      SyntheticOptions size;
      size.positions = 5;
      size.candidates = 6;
      size.eligible_share = seed % 2 == 0 ? 1 : 0.7;
      size.fitness_low = seed % 3 == 0 ? -2 : 0;
      Instance instance = small_instance(size, random);
      if (seed % 4 == 0) {
        instance.quotas = {{"parity = even", 1, 2}};
        for (Candidate c = 0; c < 6; ++c) instance.quota_of.push_back(c % 2 == 0 ? 0 : kNone);
      }
      const std::vector<Score> scores = every_score(instance, measure);
      if (scores.empty()) continue;
      for (const double trade_off : {0.0, 0.4, 0.8, 1.0}) {
        const Objective objective{trade_off, 1, 0.3};
        const ExactResult result =
            branch_and_bound(instance, measure, objective, {}, Deadline::never());
        EXPECT_TRUE(result.proven);
        ASSERT_FALSE(result.assignment.empty());
        EXPECT_NEAR(objective.reward(result.score), brute_force(scores, objective).best, 1e-9)
            << measure.name << ", seed " << seed << ", trade-off " << trade_off;
        // Begun from the best, the tree must not lose it, nor grow.
        const ExactResult again =
            branch_and_bound(instance, measure, objective, result.assignment, Deadline::never());
        EXPECT_NEAR(objective.reward(again.score), objective.reward(result.score), 1e-12);
        EXPECT_LE(again.nodes, result.nodes);
      }
    }
  }
}

TEST(BranchAndBound, SaysWhenTimeWasShort) {
  Random random(1);
  const Instance instance = small_instance({}, random);
  const ExactResult result =
      branch_and_bound(instance, measures()[0], {0.5, 1, 1}, {}, Deadline::after(0));
  EXPECT_FALSE(result.proven);
  EXPECT_TRUE(result.assignment.empty());
}

}  // namespace
}  // namespace limber::assign
