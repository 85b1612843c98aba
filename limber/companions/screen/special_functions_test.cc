#include "limber/companions/screen/special_functions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace limber::screen {
namespace {

TEST(SpecialFunctions, DigammaHasItsKnownValuesAndRecurrence) {
  constexpr double kEuler = 0.57721566490153286061;
  EXPECT_NEAR(digamma(1), -kEuler, 1e-13);
  EXPECT_NEAR(digamma(0.5), -kEuler - 2 * std::numbers::ln2, 1e-13);
  for (double x = 1e-3; x < 1e6; x *= 1.7) {
    EXPECT_NEAR(digamma(x + 1) - digamma(x), 1 / x, 1e-11 * (1 + 1 / x)) << x;
  }
}

TEST(SpecialFunctions, TrigammaHasItsKnownValuesRecurrenceAndInverse) {
  const double pi_squared = std::numbers::pi * std::numbers::pi;
  EXPECT_NEAR(trigamma(1), pi_squared / 6, 1e-13);
  EXPECT_NEAR(trigamma(0.5), pi_squared / 2, 1e-13);
  for (double x = 1e-3; x < 1e6; x *= 1.7) {
    EXPECT_NEAR(trigamma(x) - trigamma(x + 1), 1 / (x * x), 1e-11 * (1 + 1 / (x * x))) << x;
    EXPECT_NEAR(inverse_trigamma(trigamma(x)) / x, 1, 1e-6) << x;
  }
}

TEST(SpecialFunctions, NormalTailIsContinuousAndInverts) {
  EXPECT_NEAR(log_normal_upper_tail(0), -std::numbers::ln2, 1e-15);
  EXPECT_NEAR(log_normal_upper_tail(25 - 1e-9), log_normal_upper_tail(25 + 1e-9), 1e-6);
  for (double z = 0; z < 1000; z = z * 1.3 + 0.01) {
    EXPECT_NEAR(normal_from_log_upper_tail(log_normal_upper_tail(z)), z, 1e-9 * (1 + z)) << z;
  }
}

TEST(StudentScore, ClosedFormsForOneAndTwoDegrees) {
  // P(T > t) is 1/2 - atan(t) / pi for one degree and (1 - t / sqrt(t^2 + 2)) / 2 for two.
  const StudentScore one(1);
  const StudentScore two(2);
  for (double t = 1e-4; t < 1e3; t *= 1.9) {
    EXPECT_NEAR(std::exp(one.log_upper_tail(t)), std::atan(1 / t) / std::numbers::pi, 1e-13) << t;
    const double root = std::sqrt(t * t + 2);
    const double tail = 1 / (root * (root + t));  // the same without cancellation
    EXPECT_NEAR(two.log_upper_tail(t), std::log(tail), 1e-12 * (1 - std::log(tail))) << t;
  }
}

TEST(StudentScore, IsOddIncreasingAndFiniteFarOut) {
  for (const double degrees : {1.0, 3.5, 60.0, 5000.0}) {
    const StudentScore score(degrees);
    double last = -1e9;
    for (double t = -1e9; t <= 1e9; t += std::max(1e-3, std::abs(t) / 7)) {
      const double z = score(t);
      ASSERT_TRUE(std::isfinite(z)) << degrees << ' ' << t;
      EXPECT_GE(z, last - 1e-12 * std::abs(last)) << degrees << ' ' << t;
      EXPECT_EQ(score(-t), -z);
      last = z;
    }
    EXPECT_TRUE(std::isfinite(score(1e200)));
  }
  EXPECT_EQ(StudentScore(std::numeric_limits<double>::infinity())(3.25), 3.25);
  EXPECT_NEAR(StudentScore(1e7)(3), 3, 1e-5);
}

}  // namespace
}  // namespace limber::screen
