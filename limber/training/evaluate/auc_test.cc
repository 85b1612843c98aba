#include "limber/training/evaluate/auc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/random_predictions_for_test.h"

namespace limber {
namespace {

using Floats = std::vector<float>;

double brute_auc(const Floats& scores, const Floats& labels, const Floats& weights) {
  double won = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      const double weight = weight_of(weights, i) * weight_of(weights, j);
      pairs += weight;
      won += weight * (scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0);
    }
  }
  return won / pairs;
}

TEST(Auc, ClosedForms) {
  EXPECT_EQ(auc(Floats{1, 2, 3, 4}, Floats{0, 0, 1, 1}), 1.0);
  EXPECT_EQ(auc(Floats{4, 3, 2, 1}, Floats{0, 0, 1, 1}), 0.0);
  EXPECT_EQ(auc(Floats{5, 5, 5, 5}, Floats{0, 1, 1, 0}), 0.5);
  // Positives 3 and 2, negatives 2 and 1: three pairs won, one tied.
  EXPECT_EQ(auc(Floats{3, 2, 2, 1}, Floats{1, 1, 0, 0}), 3.5 / 4);
}

TEST(Auc, WeightsCountAsRepeatedRows) {
  // The negative above the positive counts three times, the one below it once.
  EXPECT_EQ(auc(Floats{3, 2, 1}, Floats{0, 1, 0}, Floats{3, 1, 1}), 0.25);
}

TEST(Auc, EqualsBruteForceUnderTies) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const RandomPredictions rows(200, 5, seed);
    EXPECT_NEAR(auc(rows.logits, rows.labels), brute_auc(rows.logits, rows.labels, {}), 1e-12);
    EXPECT_NEAR(auc(rows.logits, rows.labels, rows.weights),
                brute_auc(rows.logits, rows.labels, rows.weights), 1e-12);
  }
}

TEST(Auc, IsUndefinedWithoutBothClasses) {
  EXPECT_TRUE(std::isnan(auc(Floats{1, 2}, Floats{1, 1})));
  EXPECT_TRUE(std::isnan(auc(Floats{1, 2}, Floats{0, 0})));
  EXPECT_TRUE(std::isnan(auc(Floats{1, 2}, Floats{0, 1}, Floats{0, 1})));
  EXPECT_TRUE(std::isnan(auc(Floats{}, Floats{})));
}

TEST(Auc, MultiplicityEqualsRepeatedGroups) {
  const Floats scores{1, 2, 3, 2, 5, 0};
  const Floats labels{0, 1, 1, 0, 0, 1};
  const std::vector<std::uint32_t> groups{0, 0, 1, 1, 2, 2};
  const Floats multiplicity{2, 1, 0};
  const Floats repeated_scores{1, 2, 1, 2, 3, 2};
  const Floats repeated_labels{0, 1, 0, 1, 1, 0};
  EXPECT_EQ(SortedRows(scores, labels, {}, groups).auc(multiplicity),
            auc(repeated_scores, repeated_labels));
}

TEST(Auc, RefusesWhatIsNotData) {
  EXPECT_THROW(auc(Floats{1, 2}, Floats{0}), Error);
  EXPECT_THROW(auc(Floats{1}, Floats{0.5F}), InputError);
  EXPECT_THROW(auc(Floats{std::numeric_limits<float>::quiet_NaN()}, Floats{1}), InputError);
  EXPECT_THROW(auc(Floats{std::numeric_limits<float>::infinity()}, Floats{1}), InputError);
  EXPECT_THROW(auc(Floats{1}, Floats{1}, Floats{-1}), InputError);
}

}  // namespace
}  // namespace limber
