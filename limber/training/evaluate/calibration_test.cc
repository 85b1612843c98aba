#include "limber/training/evaluate/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/random_predictions_for_test.h"

namespace limber {
namespace {

using Floats = std::vector<float>;

const auto quarter = static_cast<float>(std::log(1.0 / 3.0));  // the logit of 0.25

TEST(CalibrationRatio, IsPredictedOverObserved) {
  EXPECT_NEAR(calibration_ratio(Floats(4, quarter), Floats{1, 0, 0, 0}), 1, 1e-7);
  EXPECT_NEAR(calibration_ratio(Floats(4, quarter), Floats{1, 1, 0, 0}), 0.5, 1e-7);
  EXPECT_NEAR(calibration_ratio(Floats(2, quarter), Floats{1, 0}, Floats{1, 3}), 1, 1e-7);
  EXPECT_TRUE(std::isnan(calibration_ratio(Floats{1}, Floats{0})));
}

TEST(CalibrationError, ClosedForm) {
  // Two predictions, 0.5 (four rows, all positive) and 0.25 (four rows, one positive).
  const Floats logits{0, 0, 0, 0, quarter, quarter, quarter, quarter};
  const Floats labels{1, 1, 1, 1, 1, 0, 0, 0};
  for (const Binning binning : {Binning::equal_count, Binning::equal_width}) {
    const auto curve = reliability_curve(logits, labels, {}, 10, binning);
    ASSERT_EQ(curve.size(), 2U);
    EXPECT_NEAR(curve[0].predicted, 0.25, 1e-7);
    EXPECT_DOUBLE_EQ(curve[0].observed, 0.25);
    EXPECT_DOUBLE_EQ(curve[1].predicted, 0.5);
    EXPECT_DOUBLE_EQ(curve[1].observed, 1);
    EXPECT_EQ(curve[1].rows, 4U);
    EXPECT_NEAR(calibration_error(curve), 0.25, 1e-7);
  }
  EXPECT_TRUE(std::isnan(calibration_error({})));
}

TEST(CalibrationError, OneBinIsTheOverallGap) {
  const RandomPredictions rows(500, 10, 4);
  const auto curve = reliability_curve(rows.logits, rows.labels, rows.weights, 1);
  ASSERT_EQ(curve.size(), 1U);
  const double ratio = calibration_ratio(rows.logits, rows.labels, rows.weights);
  EXPECT_NEAR(calibration_error(curve), curve[0].observed * std::abs(ratio - 1), 1e-12);
}

TEST(ReliabilityCurve, EqualCountBinsAreEvenAndAscending) {
  Floats logits;
  for (int i = 0; i < 1000; ++i) logits.push_back(static_cast<float>((i * 377) % 1000) / 100);
  const auto curve = reliability_curve(logits, Floats(1000, 1), {}, 8);
  ASSERT_EQ(curve.size(), 8U);
  for (const ReliabilityBin& bin : curve) EXPECT_EQ(bin.rows, 125U);
  EXPECT_TRUE(std::is_sorted(curve.begin(), curve.end(), [](const auto& a, const auto& b) {
    return a.predicted < b.predicted;
  }));
}

TEST(ReliabilityCurve, NeverPartsEqualPredictions) {
  const auto curve = reliability_curve(Floats{0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, Floats(10, 1), {}, 5);
  ASSERT_EQ(curve.size(), 1U);  // the cuts all fall inside the tie, so nothing can be cut
  const auto upper = reliability_curve(Floats{0, 1, 1, 1, 1, 1, 1, 1, 1, 1}, Floats(10, 1), {}, 5);
  ASSERT_EQ(upper.size(), 2U);
  EXPECT_EQ(upper[0].rows, 1U);
  EXPECT_EQ(upper[1].rows, 9U);
}

TEST(ProbabilityBins, EqualWidthEdges) {
  const ProbabilityBins bins(Floats{}, 4, Binning::equal_width);
  EXPECT_EQ(bins.size(), 4U);
  EXPECT_EQ(bins.bin_of(0), 0U);
  EXPECT_EQ(bins.bin_of(0.2499), 0U);
  EXPECT_EQ(bins.bin_of(0.25), 1U);
  EXPECT_EQ(bins.bin_of(1), 3U);
  EXPECT_THROW(ProbabilityBins(Floats{}, 0, Binning::equal_width), Error);
}

}  // namespace
}  // namespace limber
