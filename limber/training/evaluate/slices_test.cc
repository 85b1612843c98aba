#include "limber/training/evaluate/slices.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/group_index.h"
#include "limber/training/evaluate/metrics_json.h"
#include "limber/training/evaluate/random_predictions_for_test.h"

namespace limber {
namespace {

const BootstrapOptions few{.resamples = 10};

TEST(Slices, SupportBucketsHoldTheirRowsAndNoOthers) {
  const RandomPredictions rows(3000, 60, 1);
  std::vector<std::int64_t> support;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    support.push_back(static_cast<std::int64_t>((i * i) % 130));
  }
  const auto slices = slice_by_support(rows.weighted(), support, {}, few);
  std::vector<std::string> labels;
  std::size_t total = 0;
  for (const Slice& slice : slices) {
    labels.push_back(slice.label);
    std::size_t expected = 0;
    for (const std::int64_t size : support) expected += size >= slice.from && size <= slice.to;
    EXPECT_EQ(slice.metrics.rows, expected) << slice.label;
    total += slice.metrics.rows;
  }
  EXPECT_EQ(labels,
            (std::vector<std::string>{"0", "1", "2–4", "5–9", "10–19", "20–49", "50–99", "100+"}));
  EXPECT_EQ(total, rows.labels.size());
  EXPECT_EQ(slices.back().to, std::numeric_limits<std::int64_t>::max());
}

TEST(Slices, MetricsAreThoseOfTheBucketAlone) {
  const RandomPredictions first(500, 20, 2);
  const RandomPredictions second(700, 20, 3);
  RandomPredictions both = first;
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(both.logits, second.logits);
  append(both.labels, second.labels);
  append(both.weights, second.weights);
  append(both.groups, second.groups);
  std::vector<std::int64_t> support(500, 3);
  support.resize(1200, 70);
  const auto slices = slice_by_support(both.weighted(), support, {}, few);
  ASSERT_EQ(slices.size(), 2U);  // empty buckets are left out
  EXPECT_EQ(slices[0].metrics.gauc, evaluate_predictions(first.weighted()).gauc);
  EXPECT_EQ(slices[1].metrics.auc, evaluate_predictions(second.weighted()).auc);
  EXPECT_EQ(slices[1].intervals.low.auc, bootstrap_intervals(second.weighted(), {}, few).low.auc);
}

TEST(Slices, ActivityQuantilesCountMembersNotRows) {
  const RandomPredictions rows(4000, 50, 5);
  const GroupIndex index(rows.groups);
  const auto slices = slice_by_activity(rows.unweighted(), {}, 5, {}, few);
  ASSERT_EQ(slices.size(), 5U);
  std::size_t members = 0;
  for (std::size_t b = 0; b < slices.size(); ++b) {
    EXPECT_NEAR(static_cast<double>(slices[b].metrics.groups),
                static_cast<double>(index.size()) / 5, 3);
    members += slices[b].metrics.groups;
    if (b > 0) {
      EXPECT_EQ(slices[b].from, slices[b - 1].to + 1);
      EXPECT_GT(slices[b].metrics.rows, slices[b - 1].metrics.rows);
    }
  }
  EXPECT_EQ(members, index.size());
}

TEST(Slices, EqualActivityNeverParts) {
  const RandomPredictions rows(400, 30, 6);
  const std::vector<std::int64_t> same(400, 12);
  const auto slices = slice_by_activity(rows.unweighted(), same, 4, {}, few);
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(slices[0].label, "12");
}

TEST(Slices, RefuseWhatIsNotData) {
  const RandomPredictions rows(50, 5, 1);
  EXPECT_THROW(slice_by_support(rows.weighted(), std::vector<std::int64_t>(49, 1)), Error);
  EXPECT_THROW(slice_by_support(rows.weighted(), std::vector<std::int64_t>(50, -1)), InputError);
  std::vector<std::int64_t> mixed(50, 1);
  mixed[17] = 2;
  EXPECT_THROW(slice_by_activity(rows.weighted(), mixed), InputError);
  EXPECT_THROW(slice_by_activity({rows.logits, rows.labels, {}, {}}), Error);
  EXPECT_TRUE(slice_by_activity({}).empty());
}

TEST(MetricsJson, UndefinedIsNull) {
  const std::vector<float> logits{1, 2};
  const std::vector<float> labels{1, 1};
  const RankingMetrics metrics = evaluate_predictions({logits, labels, {}, {}});
  const nlohmann::json json = metrics_to_json(metrics);
  EXPECT_TRUE(json["auc"]["value"].is_null());
  EXPECT_TRUE(json["gauc"]["value"].is_null());
  EXPECT_FALSE(json["auc"].contains("low"));
  EXPECT_EQ(json["log_loss"]["value"], metrics.log_loss);
  EXPECT_EQ(json["rows"], 2);
  EXPECT_EQ(json["base_rate"], 1.0);
  EXPECT_EQ(nlohmann::json::parse(json.dump()), json);
  EXPECT_TRUE(metrics_to_json(evaluate_predictions({}))["log_loss"]["value"].is_null());
}

TEST(MetricsJson, SlicesAndDifferences) {
  const RandomPredictions rows(300, 10, 1);
  const auto slices =
      slice_by_support(rows.weighted(), std::vector<std::int64_t>(300, 200), {}, few);
  const nlohmann::json json = slices_to_json(slices);
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["label"], "100+");
  EXPECT_TRUE(json[0]["to"].is_null());
  EXPECT_LT(json[0]["metrics"]["auc"]["low"], json[0]["metrics"]["auc"]["high"]);
  const auto difference =
      difference_to_json(bootstrap_difference(rows.weighted(), rows.weighted(), {}, few));
  EXPECT_EQ(difference["ndcg"]["value"], 0);
  EXPECT_EQ(difference["ndcg"]["high"], 0);
}

}  // namespace
}  // namespace limber
