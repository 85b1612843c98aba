#include "limber/companions/assign/front.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber::assign {
namespace {

TEST(Front, KeepsExactlyWhatNothingCovers) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    std::vector<Score> scores;
    Front front;
    for (int i = 0; i < 60; ++i) {
      // Few values, so that ties occur on either count.
      scores.push_back(
          {static_cast<double>(random.below(8)), static_cast<double>(random.below(8))});
      front.add({scores.back(), {static_cast<Candidate>(i)}});
    }
    for (const Score& score : scores) EXPECT_TRUE(front.covers_score(score));
    const auto& points = front.points();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Score& behind = scores[static_cast<std::size_t>(points[i].assignment[0])];
      EXPECT_EQ(points[i].score.fitness, behind.fitness);
      EXPECT_EQ(points[i].score.diversity, behind.diversity);
      if (i == 0) continue;
      EXPECT_LT(points[i - 1].score.fitness, points[i].score.fitness);
      EXPECT_GT(points[i - 1].score.diversity, points[i].score.diversity);
    }
  }
}

TEST(Front, BestDependsOnTheTradeOff) {
  Front front;
  EXPECT_THROW(front.best({}), Error);
  front.add({{10, 0}, {0}});
  front.add({{6, 3}, {1}});
  front.add({{0, 4}, {2}});
  EXPECT_EQ(front.best({0, 10, 4}).assignment, Assignment{0});
  EXPECT_EQ(front.best({0.5, 10, 4}).assignment, Assignment{1});
  EXPECT_EQ(front.best({1, 10, 4}).assignment, Assignment{2});
}

TEST(Front, HypervolumeIsTheAreaUnderTheSteps) {
  Front front;
  EXPECT_EQ(front.hypervolume({0, 0}, 1, 1), 0);
  front.add({{1, 3}, {}});
  front.add({{2, 2}, {}});
  front.add({{4, 1}, {}});
  EXPECT_DOUBLE_EQ(front.hypervolume({0, 0}, 1, 1), 3 + 2 + 2);
  EXPECT_DOUBLE_EQ(front.hypervolume({0, 0}, 2, 0.5), 7);
  EXPECT_DOUBLE_EQ(front.hypervolume({1, 1}, 1, 1), 1);
}

TEST(Front, GapsValueNeighboursAlike) {
  Front front;
  front.add({{0, 3}, {}});
  front.add({{1, 2}, {}});
  front.add({{4, 0}, {}});
  const std::vector<double> gaps = front.gaps(1, 1);
  ASSERT_EQ(gaps.size(), 2U);
  // The larger rectangle, 3 by 2, comes first.
  EXPECT_DOUBLE_EQ(gaps[0], 3.0 / 5);
  EXPECT_DOUBLE_EQ(gaps[1], 0.5);
  const Objective objective{gaps[0], 1, 1};
  EXPECT_DOUBLE_EQ(objective.reward({1, 2}), objective.reward({4, 0}));
}

TEST(Objective, OfEqualRewardsTheOtherCountDecides) {
  const Objective fitness_alone{0, 1, 1}, diversity_alone{1, 1, 1}, even{0.5, 1, 1};
  EXPECT_TRUE(fitness_alone.better({1, 2}, {1, 1}));
  EXPECT_FALSE(fitness_alone.better({1, 1}, {1, 1}));
  EXPECT_TRUE(diversity_alone.better({2, 1}, {1, 1}));
  EXPECT_TRUE(fitness_alone.better({2, 0}, {1, 9}));
  EXPECT_FALSE(even.better({2, 0}, {0, 2}));
  EXPECT_FALSE(even.better({1 + 1e-15, 1}, {1, 1}));
}

}  // namespace
}  // namespace limber::assign
