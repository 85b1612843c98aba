#include "limber/core/data/samplers.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "limber/core/base/random.h"
#include "limber/core/data/loader.h"

namespace limber {
namespace {

/// Members with the given numbers of rows, the last fifth for the test, a tenth for validation.
Dataset members_with(const std::vector<std::int64_t>& counts, bool by_member = false) {
  Dataset dataset;
  dataset.split = by_member ? "members" : "random";
  dataset.split_by_member = by_member;
  dataset.layout.labels = {"like"};
  std::int64_t begin = 0;
  for (std::size_t t = 0; t < counts.size(); ++t) {
    const std::int64_t end = begin + counts[t];
    const std::int64_t test = counts[t] / 5, validation = counts[t] / 10;
    TaskRows rows{begin, end - test - validation, end - test, end};
    if (by_member) {
      if (t % 3 == 0) rows = {begin, end, end, end};
      if (t % 3 == 1) rows = {begin, begin, end, end};
      if (t % 3 == 2) rows = {begin, begin, begin, end};
    }
    dataset.tasks.push_back(rows);
    begin = end;
  }
  dataset.rows = begin;
  return dataset;
}

TEST(TaskSampler, EpisodesAreDisjointTrainingRowsOfTheirTask) {
  const Dataset dataset = members_with({50, 3, 1, 400, 20});
  TaskSampler::Options options{.tasks_per_batch = 2, .support = 30, .query = 10, .seed = 4};
  std::set<std::int64_t> tasks;
  const TaskSampler sampler(dataset, options, 0);
  for (std::int64_t i = 0; i < sampler.batches(); ++i) {
    const EpisodePlan plan = sampler.plan(i);
    for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
      EXPECT_TRUE(tasks.insert(plan.tasks[t]).second);
      const TaskRows& task = dataset.tasks[static_cast<std::size_t>(plan.tasks[t])];
      std::set<std::int64_t> rows;
      const auto check = [&](const std::vector<std::int64_t>& from, std::int64_t begin,
                             std::int64_t end) {
        for (std::int64_t at = begin; at < end; ++at) {
          const std::int64_t row = from[static_cast<std::size_t>(at)];
          EXPECT_TRUE(rows.insert(row).second);
          EXPECT_GE(row, task.begin);
          EXPECT_LT(row, task.train_end);
        }
        return end - begin;
      };
      EXPECT_LE(check(plan.support, plan.support_offsets[t], plan.support_offsets[t + 1]), 30);
      const auto query = check(plan.query, plan.query_offsets[t], plan.query_offsets[t + 1]);
      EXPECT_GE(query, 1);
      EXPECT_LE(query, 10);
    }
  }
  // Every task with two training rows, once an epoch.
  EXPECT_EQ(tasks, (std::set<std::int64_t>{0, 1, 3, 4}));
}

TEST(TaskSampler, SupportSizesAreLogUniformFromZero) {
  const Dataset dataset = members_with(std::vector<std::int64_t>(200, 300));
  std::map<std::int64_t, int> sizes;
  int drawn = 0;
  for (std::int64_t epoch = 0; epoch < 30; ++epoch) {
    const TaskSampler sampler(
        dataset, {.tasks_per_batch = 200, .support = 100, .support_sizes = "log_uniform"}, epoch);
    const EpisodePlan plan = sampler.plan(0);
    for (std::size_t t = 0; t < plan.tasks.size(); ++t, ++drawn) {
      ++sizes[plan.support_offsets[t + 1] - plan.support_offsets[t]];
    }
  }
  // log(1 + n) is uniform on [0, log 102): P(0) = log 2 / log 102.
  EXPECT_NEAR(sizes[0] / static_cast<double>(drawn), std::log(2.0) / std::log(102.0), 0.02);
  EXPECT_GT(sizes[100], 0);
  EXPECT_EQ(sizes.rbegin()->first, 100);
}

TEST(TaskSampler, SupportSizesAreDrawnAsAsked) {
  const Dataset dataset = members_with(std::vector<std::int64_t>(200, 300));
  // The mean of n when n is uniform on {0, ..., 100}, and when log(1 + n) is uniform on
  // [0, log 102), where the density of 1 + n is 1 / (x log 102).
  const double uniform = 50, log_uniform = 101 / std::log(102.0) - 1.5;
  for (const auto& [sizes, expected] :
       std::map<std::string, double>{{"uniform", uniform},
                                     {"log_uniform", log_uniform},
                                     {"mixed", (uniform + log_uniform) / 2}}) {
    double sum = 0, drawn = 0;
    std::set<std::int64_t> seen;
    for (std::int64_t epoch = 0; epoch < 60; ++epoch) {
      const TaskSampler sampler(
          dataset, {.tasks_per_batch = 200, .support = 100, .support_sizes = sizes}, epoch);
      const EpisodePlan plan = sampler.plan(0);
      for (std::size_t t = 0; t < plan.tasks.size(); ++t, ++drawn) {
        const std::int64_t size = plan.support_offsets[t + 1] - plan.support_offsets[t];
        sum += static_cast<double>(size);
        seen.insert(size);
      }
    }
    // 12,000 draws with a deviation of at most 32: four standard errors.
    EXPECT_NEAR(sum / drawn, expected, 1.2) << sizes;
    EXPECT_EQ(*seen.begin(), 0) << sizes;
    EXPECT_EQ(*seen.rbegin(), 100) << sizes;
  }
}

TEST(TaskSampler, SameSeedSamePlanAnyOrder) {
  const Dataset dataset = members_with({50, 30, 40, 25});
  const TaskSampler first(dataset, {.tasks_per_batch = 2, .seed = 9}, 3);
  const TaskSampler second(dataset, {.tasks_per_batch = 2, .seed = 9}, 3);
  const EpisodePlan late = first.plan(1);
  EXPECT_EQ(late.support, (second.plan(0), second.plan(1)).support);
  const TaskSampler other(dataset, {.tasks_per_batch = 2, .seed = 9}, 4);
  EXPECT_NE(other.plan(1).query, late.query);
}

TEST(RowSampler, EveryTrainingRowOnceAnEpoch) {
  for (const std::int64_t batch : {7, 64}) {
    const Dataset dataset = members_with({50, 3, 1, 0, 4000, 20, 33});
    std::set<std::int64_t> expected;
    for (const TaskRows& task : dataset.tasks) {
      for (std::int64_t row = task.begin; row < task.train_end; ++row) expected.insert(row);
    }
    const RowSampler sampler(dataset, batch, 1, 0);
    std::multiset<std::int64_t> seen;
    for (std::int64_t i = 0; i < sampler.batches(); ++i) {
      const EpisodePlan plan = sampler.plan(i);
      seen.insert(plan.query.begin(), plan.query.end());
    }
    EXPECT_EQ(seen.size(), expected.size());
    EXPECT_EQ(std::set<std::int64_t>(seen.begin(), seen.end()), expected);
    const EpisodePlan other = RowSampler(dataset, batch, 1, 1).plan(0);
    EXPECT_NE(other.query, sampler.plan(0).query);
  }
}

TEST(EvaluationSampler, SupportPrecedesThePart) {
  const Dataset dataset = members_with({50, 10, 4, 400});
  for (const Part part : {Part::validation, Part::test}) {
    const EvaluationSampler sampler(dataset, {.part = part, .support = 20, .support_limit = 20});
    std::int64_t queries = 0;
    for (std::int64_t i = 0; i < sampler.batches(); ++i) {
      const EpisodePlan plan = sampler.plan(i);
      for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
        const TaskRows& task = dataset.tasks[static_cast<std::size_t>(plan.tasks[t])];
        const std::int64_t bound = part == Part::test ? task.validation_end : task.train_end;
        for (auto at = plan.support_offsets[t]; at < plan.support_offsets[t + 1]; ++at) {
          EXPECT_LT(plan.support[static_cast<std::size_t>(at)], bound);
          EXPECT_GE(plan.support[static_cast<std::size_t>(at)], bound - 20);
        }
        queries += plan.query_offsets[t + 1] - plan.query_offsets[t];
      }
    }
    EXPECT_EQ(queries, sampler.query_rows());
    EXPECT_EQ(queries, part == Part::test ? 10 + 2 + 0 + 80 : 5 + 1 + 0 + 40);
  }
}

TEST(EvaluationSampler, CuttingTheSupportKeepsTheQueries) {
  const Dataset dataset = members_with({50, 10, 40, 400, 7, 90}, /*by_member=*/true);
  const auto queries = [&](std::int64_t support) {
    const EvaluationSampler sampler(dataset,
                                    {.part = Part::test, .support = support, .support_limit = 20});
    std::set<std::int64_t> rows;
    for (std::int64_t i = 0; i < sampler.batches(); ++i) {
      const EpisodePlan plan = sampler.plan(i);
      EXPECT_LE(static_cast<std::int64_t>(plan.support.size()),
                support * static_cast<std::int64_t>(plan.tasks.size()));
      rows.insert(plan.query.begin(), plan.query.end());
    }
    return rows;
  };
  EXPECT_EQ(queries(0), queries(20));
  EXPECT_EQ(queries(1), queries(20));
  EXPECT_FALSE(queries(20).empty());
}

}  // namespace
}  // namespace limber
