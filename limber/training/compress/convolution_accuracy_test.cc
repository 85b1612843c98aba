#include "limber/training/compress/convolution_accuracy.h"

#include <gtest/gtest.h>

#include <cmath>

namespace limber {
namespace {

constexpr double deviate = 1.959963984540054;

/// The ends are the shares p from which the observed one is as many deviations away as the level
/// says: |share - p| = z sqrt(p (1 - p) / n), which is how Wilson defines them.
TEST(WilsonInterval, EndsSolveItsEquation) {
  for (const auto& [right, all] :
       {std::pair<std::int64_t, std::int64_t>{1, 10}, {5, 10}, {963, 1000}, {1, 3}}) {
    const double share = static_cast<double>(right) / static_cast<double>(all);
    const Interval interval = wilson_interval(right, all);
    for (const double end : {interval.low, interval.high}) {
      EXPECT_NEAR(std::abs(share - end),
                  deviate * std::sqrt(end * (1 - end) / static_cast<double>(all)), 1e-12);
    }
    EXPECT_LT(interval.low, share);
    EXPECT_GT(interval.high, share);
  }
}

TEST(WilsonInterval, StaysWithinShares) {
  EXPECT_EQ(wilson_interval(0, 20).low, 0);
  EXPECT_NEAR(wilson_interval(0, 20).high, deviate * deviate / (20 + deviate * deviate), 1e-12);
  EXPECT_EQ(wilson_interval(20, 20).high, 1);
}

TEST(PairedAccuracy, PValueIsTheBinomialTail) {
  EXPECT_EQ((PairedAccuracy{100, 0, 0}.p_value()), 1);
  EXPECT_EQ((PairedAccuracy{100, 4, 4}.p_value()), 1);
  EXPECT_NEAR((PairedAccuracy{100, 0, 5}.p_value()), 2.0 / 32, 1e-12);
  // (1 + 10 + 45) / 1024 on each side.
  EXPECT_NEAR((PairedAccuracy{100, 8, 2}.p_value()), 112.0 / 1024, 1e-12);
  EXPECT_NEAR((PairedAccuracy{100, 2, 8}.p_value()), 112.0 / 1024, 1e-12);
}

TEST(PairedAccuracy, IntervalIsAgrestiAndMins) {
  const PairedAccuracy paired{1000, 12, 7};
  EXPECT_DOUBLE_EQ(paired.difference(), -0.005);
  // b = 12.5, c = 7.5, n = 1002.
  const double half = deviate * std::sqrt(20 - 25.0 / 1002) / 1002;
  EXPECT_NEAR(paired.interval().low, -5.0 / 1002 - half, 1e-12);
  EXPECT_NEAR(paired.interval().high, -5.0 / 1002 + half, 1e-12);
  // Equal on every image, and still not certain to be equal.
  EXPECT_LT((PairedAccuracy{50, 0, 0}.interval().low), 0);
}

}  // namespace
}  // namespace limber
