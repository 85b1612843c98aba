#include "limber/core/data/replay_sampler.h"

#include <gtest/gtest.h>

#include <vector>

#include "limber/core/data/dataset.h"

namespace limber {
namespace {

TEST(ReplaySampler, AsksEachTrainingRowOnceOfWhatWasBefore) {
  Dataset dataset;
  for (const std::int64_t count : {40, 0, 1, 300, 7}) {
    const std::int64_t begin = dataset.rows, end = begin + count;
    // The last rows are not for training.
    dataset.tasks.push_back({begin, end - count / 5, end - count / 10, end});
    dataset.rows = end;
  }
  for (const std::int64_t support : {0, 5, 1000}) {
    const ReplaySampler sampler(dataset, {.support = support, .rows_per_batch = 64});
    std::vector<int> asked(static_cast<std::size_t>(dataset.rows), 0);
    std::int64_t last_task = 0;
    for (std::int64_t i = 0; i < sampler.batches(); ++i) {
      const EpisodePlan plan = sampler.plan(i);
      ASSERT_FALSE(plan.tasks.empty());
      for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
        EXPECT_GE(plan.tasks[t], last_task);
        last_task = plan.tasks[t];
        const TaskRows& task = dataset.tasks[static_cast<std::size_t>(last_task)];
        const auto query = static_cast<std::size_t>(plan.query_offsets[t]);
        const auto query_end = static_cast<std::size_t>(plan.query_offsets[t + 1]);
        ASSERT_LT(query, query_end);
        const std::int64_t first = plan.query[query], before = first - task.begin;
        // At most a quarter more rows than it is known by.
        EXPECT_LE(static_cast<std::int64_t>(query_end - query),
                  std::max<std::int64_t>(1, before / 4));
        for (std::size_t at = query; at < query_end; ++at) {
          EXPECT_LT(plan.query[at], task.train_end);
          ++asked[static_cast<std::size_t>(plan.query[at])];
        }
        const std::int64_t begin = plan.support_offsets[t], end = plan.support_offsets[t + 1];
        ASSERT_EQ(end - begin, std::min(support, before));
        for (std::int64_t at = begin; at < end; ++at) {
          EXPECT_EQ(plan.support[static_cast<std::size_t>(at)], first - (end - at));
        }
      }
    }
    for (const TaskRows& task : dataset.tasks) {
      for (std::int64_t row = task.begin; row < task.end; ++row) {
        EXPECT_EQ(asked[static_cast<std::size_t>(row)], row < task.train_end ? 1 : 0) << row;
      }
    }
  }
}

}  // namespace
}  // namespace limber
