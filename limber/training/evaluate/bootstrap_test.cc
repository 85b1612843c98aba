#include "limber/training/evaluate/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/random_predictions_for_test.h"
#include "limber/training/evaluate/resampled_metrics.h"

namespace limber {
namespace {

using Floats = std::vector<float>;

void expect_equal(const MetricValues& a, const MetricValues& b) {
  for (const MetricDescription& metric : metric_descriptions) {
    EXPECT_FALSE(std::isnan(a.*metric.value)) << metric.key;
    EXPECT_NEAR(a.*metric.value, b.*metric.value, 1e-10) << metric.key;
  }
}

TEST(ResampledMetrics, EachGroupOnceIsThePlainEvaluation) {
  const RandomPredictions rows(2000, 60, 1);
  for (const Predictions& predictions : {rows.weighted(), rows.unweighted()}) {
    for (const Binning binning : {Binning::equal_count, Binning::equal_width}) {
      const MetricOptions options{.ndcg_cutoff = 5, .calibration_bins = 7, .binning = binning};
      const ResampledMetrics resampled(predictions, options);
      expect_equal(resampled.evaluate(Floats(resampled.groups(), 1)),
                   evaluate_predictions(predictions, options));
    }
  }
}

TEST(ResampledMetrics, MultiplicityEqualsCopiedMembers) {
  const RandomPredictions rows(1500, 40, 2);
  // Equal-width bins do not move with the rows, so the calibration error can be compared as well.
  const MetricOptions options{.binning = Binning::equal_width};
  const ResampledMetrics resampled(rows.weighted(), options);
  const GroupIndex index(rows.groups);
  ASSERT_EQ(index.size(), resampled.groups());
  Floats multiplicity;
  Floats logits, labels, weights;
  std::vector<std::int64_t> groups;
  std::int64_t next = 0;
  for (std::size_t group = 0; group < index.size(); ++group) {
    multiplicity.push_back(static_cast<float>(group % 4));
    for (std::size_t copy = 0; copy < group % 4; ++copy, ++next) {
      for (const std::uint32_t row : index.rows(group)) {
        logits.push_back(rows.logits[row]);
        labels.push_back(rows.labels[row]);
        weights.push_back(rows.weights[row]);
        groups.push_back(next);
      }
    }
  }
  expect_equal(resampled.evaluate(multiplicity),
               evaluate_predictions({logits, labels, weights, groups}, options));
}

TEST(ResampledMetrics, RefusesAWrongLength) {
  const RandomPredictions rows(100, 5, 2);
  EXPECT_THROW(ResampledMetrics(rows.weighted(), {}).evaluate(Floats(2, 1)), Error);
}

TEST(Bootstrap, SameSeedSameSamplesAndTheOrderOfRowsDoesNotMatter) {
  const RandomPredictions rows(800, 30, 5);
  const BootstrapOptions options{.resamples = 20, .seed = 9};
  const auto samples = bootstrap_samples(rows.unweighted(), {}, options);
  Floats logits(rows.logits.rbegin(), rows.logits.rend());
  Floats labels(rows.labels.rbegin(), rows.labels.rend());
  std::vector<std::int64_t> groups(rows.groups.rbegin(), rows.groups.rend());
  const auto reversed = bootstrap_samples({logits, labels, {}, groups}, {}, options);
  ASSERT_EQ(samples.size(), 20U);
  for (std::size_t i = 0; i < samples.size(); ++i) expect_equal(samples[i], reversed[i]);
  const auto other = bootstrap_samples(rows.unweighted(), {}, {.resamples = 1, .seed = 10});
  EXPECT_NE(other[0].auc, samples[0].auc);
}

TEST(Bootstrap, SpreadIsThatOfAMeanOverMembers) {
  // One row a member, with one of two losses in equal parts: the log loss is a mean of independent
  // values, and the spread of its bootstrap has a closed form.
  const std::size_t members = 400;
  Floats logits, labels;
  std::vector<std::int64_t> groups;
  for (std::size_t i = 0; i < members; ++i) {
    logits.push_back(i % 2 == 0 ? 0.0F : 2.0F);
    labels.push_back(0);
    groups.push_back(static_cast<std::int64_t>(i));
  }
  const MetricIntervals interval =
      bootstrap_intervals({logits, labels, {}, groups}, {}, {.resamples = 4000, .seed = 3});
  const double low_loss = std::log(2.0);
  const double high_loss = std::log1p(std::exp(2.0));
  const double spread = 0.5 * (high_loss - low_loss) / std::sqrt(static_cast<double>(members));
  const double center = 0.5 * (low_loss + high_loss);
  EXPECT_NEAR(interval.low.log_loss, center - 1.96 * spread, 0.15 * spread);
  EXPECT_NEAR(interval.high.log_loss, center + 1.96 * spread, 0.15 * spread);
  EXPECT_TRUE(std::isnan(interval.low.auc));  // one class only
}

TEST(Bootstrap, DrawsMembersNotRows) {
  // Two members of opposite fate: the rows agree within each, so only two kinds of draw differ from
  // the whole, and the interval spans them. Drawn by rows it would be narrow.
  Floats logits(2000, 0), labels;
  std::vector<std::int64_t> groups;
  for (int i = 0; i < 2000; ++i) {
    groups.push_back(i % 2);
    labels.push_back(static_cast<float>(i % 2));
    logits[static_cast<std::size_t>(i)] = i % 2 == 0 ? 3.0F : -3.0F;
    if (i % 10 < 2) labels.back() = 1 - labels.back();
  }
  const MetricIntervals grouped =
      bootstrap_intervals({logits, labels, {}, groups}, {}, {.resamples = 100, .seed = 1});
  const MetricIntervals by_row =
      bootstrap_intervals({logits, labels, {}, {}}, {}, {.resamples = 100, .seed = 1});
  EXPECT_LT(by_row.high.auc - by_row.low.auc, 0.1);
  EXPECT_GT(grouped.high.auc - grouped.low.auc, 0.2);
  EXPECT_TRUE(std::isnan(by_row.low.gauc));
}

TEST(Bootstrap, PairedDifferenceCancelsWhatMembersShare) {
  const RandomPredictions good(4000, 100, 7, 0.5);
  const RandomPredictions poor(4000, 100, 7, 0.7);
  ASSERT_EQ(good.labels, poor.labels);
  const MetricDifference difference =
      bootstrap_difference(poor.unweighted(), good.unweighted(), {}, {.seed = 4});
  EXPECT_GT(difference.value.auc, 0);
  EXPECT_GT(difference.interval.low.auc, 0);
  EXPECT_LE(difference.interval.low.auc, difference.value.auc);
  EXPECT_GE(difference.interval.high.auc, difference.value.auc);
  const MetricIntervals alone = bootstrap_intervals(good.unweighted());
  EXPECT_LT(difference.interval.high.log_loss - difference.interval.low.log_loss,
            alone.high.log_loss - alone.low.log_loss);

  const MetricDifference none = bootstrap_difference(good.unweighted(), good.unweighted());
  EXPECT_EQ(none.interval.low.auc, 0);
  EXPECT_EQ(none.interval.high.gauc, 0);
  const RandomPredictions other(4000, 100, 8);
  EXPECT_THROW(bootstrap_difference(good.unweighted(), other.unweighted()), Error);
}

TEST(Bootstrap, PercentilesAreLinearBetweenOrderStatistics) {
  std::vector<MetricValues> samples(5);
  for (std::size_t i = 0; i < 5; ++i) samples[i].auc = 5.0 - static_cast<double>(i);
  samples[0].gauc = 1;  // defined once in five: too rare for an interval
  const MetricIntervals half = percentile_intervals(samples, 0.5);
  EXPECT_DOUBLE_EQ(half.low.auc, 2);
  EXPECT_DOUBLE_EQ(half.high.auc, 4);
  EXPECT_TRUE(std::isnan(half.low.gauc));
  EXPECT_DOUBLE_EQ(percentile_intervals(samples, 0.9).low.auc, 1.2);
  EXPECT_THROW(percentile_intervals(samples, 1), Error);
  EXPECT_DOUBLE_EQ(mean_values(samples).auc, 3);
}

TEST(Bootstrap, NoRowsOrNoResamplesMeanNoIntervals) {
  EXPECT_TRUE(std::isnan(bootstrap_intervals({}).low.auc));
  const RandomPredictions rows(100, 10, 1);
  EXPECT_TRUE(std::isnan(bootstrap_intervals(rows.weighted(), {}, {.resamples = 0}).high.auc));
}

}  // namespace
}  // namespace limber
