#include "limber/core/data/share_sampler.h"

#include <gtest/gtest.h>

#include <numeric>

#include "limber/core/base/random.h"

namespace limber {
namespace {

/// Batches of random tasks, or of rows without tasks.
class FixedSampler : public EpisodeSampler {
 public:
  FixedSampler(std::int64_t batches, std::int64_t most_tasks, bool tasks) {
    Random random(5);
    std::int64_t row = 0;
    for (std::int64_t b = 0; b < batches; ++b) {
      EpisodePlan& plan = plans_.emplace_back();
      const auto count =
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most_tasks))) + 1;
      for (std::int64_t t = 0; t < count; ++t) {
        for (std::uint64_t r = random.below(4); tasks && r > 0; --r) plan.support.push_back(row++);
        for (std::uint64_t r = random.below(5) + 1; r > 0; --r) plan.query.push_back(row++);
        if (tasks) plan.close_task(100 * b + t);
      }
    }
  }
  std::int64_t batches() const override { return static_cast<std::int64_t>(plans_.size()); }
  EpisodePlan plan(std::int64_t i) const override { return plans_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<EpisodePlan> plans_;
};

void append(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

TEST(ShareSampler, PartsAreTheBatchInOrder) {
  for (const bool tasks : {true, false}) {
    const FixedSampler whole(30, 9, tasks);
    for (const std::int64_t all : {1, 2, 4, 7}) {
      for (std::int64_t i = 0; i < whole.batches(); ++i) {
        const EpisodePlan plan = whole.plan(i);
        EpisodePlan joined;
        for (std::int64_t which = 0; which < all; ++which) {
          const ShareSampler sampler(whole, {which, all}, 2);
          ASSERT_EQ(sampler.batches(), whole.batches());
          const EpisodePlan part = sampler.plan(i);
          ASSERT_EQ(part.support_offsets.size(), part.tasks.size() + 1);
          append(joined.support, part.support);
          append(joined.query, part.query);
          append(joined.tasks, part.tasks);
          for (std::size_t t = 0; t < part.tasks.size(); ++t) {
            joined.support_offsets.push_back(joined.support_offsets.back() +
                                             part.support_offsets[t + 1] - part.support_offsets[t]);
            joined.query_offsets.push_back(joined.query_offsets.back() + part.query_offsets[t + 1] -
                                           part.query_offsets[t]);
          }
        }
        EXPECT_EQ(joined.tasks, plan.tasks);
        EXPECT_EQ(joined.support, plan.support);
        EXPECT_EQ(joined.query, plan.query);
        EXPECT_EQ(joined.support_offsets, plan.support_offsets);
        EXPECT_EQ(joined.query_offsets, plan.query_offsets);
      }
    }
  }
}

TEST(RoundRobinSampler, EveryBatchOnceAndAllAsMany) {
  const FixedSampler whole(11, 3, true);
  for (const std::int64_t all : {1, 2, 4, 20}) {
    std::vector<int> seen(11, 0);
    std::int64_t batches = -1;
    for (std::int64_t which = 0; which < all; ++which) {
      const RoundRobinSampler sampler(whole, {which, all});
      if (batches < 0) batches = sampler.batches();
      EXPECT_EQ(sampler.batches(), batches);
      for (std::int64_t i = 0; i < sampler.batches(); ++i) {
        const EpisodePlan plan = sampler.plan(i);
        if (!plan.tasks.empty()) ++seen[static_cast<std::size_t>(plan.tasks[0] / 100)];
      }
    }
    EXPECT_EQ(seen, std::vector<int>(11, 1)) << all;
  }
}

TEST(EqualShares, CoverAllTasksInOrderAndDifferByLessThanATask) {
  Random random(4);
  for (int time = 0; time < 200; ++time) {
    std::vector<std::int64_t> costs(random.below(40));
    for (auto& cost : costs) cost = static_cast<std::int64_t>(random.below(50));
    const auto parts = static_cast<std::int64_t>(1 + random.below(6));
    const auto bounds = equal_shares(costs, parts);
    ASSERT_EQ(bounds.size(), static_cast<std::size_t>(parts) + 1);
    EXPECT_EQ(bounds.front(), 0);
    EXPECT_EQ(bounds.back(), static_cast<std::int64_t>(costs.size()));
    const auto total = std::accumulate(costs.begin(), costs.end(), std::int64_t{0});
    for (std::size_t p = 0; p + 1 < bounds.size(); ++p) {
      ASSERT_LE(bounds[p], bounds[p + 1]);
      const auto share = std::accumulate(costs.begin() + bounds[p], costs.begin() + bounds[p + 1],
                                         std::int64_t{0});
      EXPECT_LE(share, total / parts + 1 + 50);
    }
  }
}

}  // namespace
}  // namespace limber
