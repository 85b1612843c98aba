#include "limber/training/evaluate/gauc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "limber/training/evaluate/auc.h"
#include "limber/training/evaluate/random_predictions_for_test.h"

namespace limber {
namespace {

using Floats = std::vector<float>;
using Ids = std::vector<std::int64_t>;

TEST(Gauc, WeighsGroupsByRowsAndSkipsOneClass) {
  // Member 7: AUC 1 over 2 rows; member -1: AUC 0.5 over 3 rows; member 9: positives only.
  const Floats scores{2, 5, 1, 5, 9, 3, 4};
  const Floats labels{1, 1, 0, 0, 0, 1, 1};
  const Ids ids{7, -1, 7, -1, -1, 9, 9};
  const GroupedAuc result = gauc(scores, labels, ids);
  EXPECT_DOUBLE_EQ(result.value, (2 * 1.0 + 3 * 0.25) / 5);
  EXPECT_EQ(result.groups, 2U);
  EXPECT_EQ(result.skipped, 1U);
}

TEST(Gauc, IgnoresDifferencesBetweenMembers) {
  // The second member scores everything higher: AUC suffers, GAUC does not.
  const Floats scores{1, 2, 11, 12};
  const Floats labels{0, 1, 0, 1};
  const Ids ids{1, 1, 2, 2};
  EXPECT_EQ(gauc(scores, labels, ids).value, 1.0);
  EXPECT_EQ(auc(scores, labels), 0.75);
}

TEST(Gauc, EqualsBruteForceOnShuffledWeightedRows) {
  const RandomPredictions rows(3000, 80, 3);
  std::map<std::int64_t, std::vector<std::size_t>> by_member;
  for (std::size_t i = 0; i < rows.groups.size(); ++i) by_member[rows.groups[i]].push_back(i);
  double sum = 0;
  double total = 0;
  std::size_t skipped = 0;
  for (const auto& [member, list] : by_member) {
    Floats scores, labels, weights;
    double weight = 0;
    for (const std::size_t i : list) {
      scores.push_back(rows.logits[i]);
      labels.push_back(rows.labels[i]);
      weights.push_back(rows.weights[i]);
      weight += rows.weights[i];
    }
    const double value = auc(scores, labels, weights);
    if (std::isnan(value)) {
      ++skipped;
    } else {
      sum += weight * value;
      total += weight;
    }
  }
  const GroupedAuc result = gauc(rows.logits, rows.labels, rows.groups, rows.weights);
  EXPECT_NEAR(result.value, sum / total, 1e-12);
  EXPECT_EQ(result.skipped, skipped);
  EXPECT_EQ(result.groups + result.skipped, by_member.size());
}

TEST(Gauc, IsUndefinedWhereEveryGroupHasOneClass) {
  const GroupedAuc result = gauc(Floats{1, 2}, Floats{0, 1}, Ids{1, 2});
  EXPECT_TRUE(std::isnan(result.value));
  EXPECT_EQ(result.skipped, 2U);
}

TEST(GroupIndex, NumbersGroupsByIdWhateverTheOrderOfRows) {
  const std::vector<std::int32_t> ids{5, -3, 5, 2};
  const GroupIndex index{std::span<const std::int32_t>(ids)};
  ASSERT_EQ(index.size(), 3U);
  EXPECT_EQ(std::vector<std::uint32_t>(index.group_of_row().begin(), index.group_of_row().end()),
            (std::vector<std::uint32_t>{2, 0, 2, 1}));
  EXPECT_EQ(std::vector<std::uint32_t>(index.rows(2).begin(), index.rows(2).end()),
            (std::vector<std::uint32_t>{0, 2}));
}

}  // namespace
}  // namespace limber
