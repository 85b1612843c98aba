#include "limber/training/evaluate/log_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "limber/training/evaluate/normalized_entropy.h"
#include "limber/training/evaluate/predictions.h"

namespace limber {
namespace {

using Floats = std::vector<float>;

TEST(LogLoss, ClosedForms) {
  EXPECT_DOUBLE_EQ(log_loss(Floats{0, 0}, Floats{0, 1}), std::log(2.0));
  EXPECT_NEAR(row_log_loss(std::log(3.0), 1), -std::log(0.75), 1e-15);
  EXPECT_NEAR(row_log_loss(std::log(3.0), 0), -std::log(0.25), 1e-15);
  // Weights 3 and 1 on losses log 2 and 0 (in the limit).
  EXPECT_NEAR(log_loss(Floats{0, 500}, Floats{0, 1}, Floats{3, 1}), 0.75 * std::log(2.0), 1e-15);
  EXPECT_TRUE(std::isnan(log_loss(Floats{}, Floats{})));
}

TEST(LogLoss, StaysExactForLargeLogits) {
  EXPECT_DOUBLE_EQ(row_log_loss(1000, 0), 1000);
  EXPECT_DOUBLE_EQ(row_log_loss(-1000, 1), 1000);
  EXPECT_EQ(row_log_loss(1000, 1), 0);
  // exp(-40) is far below the spacing of doubles at 1: a loss through log(sigmoid) would be 0.
  EXPECT_NEAR(row_log_loss(40, 1) / std::exp(-40.0), 1, 1e-12);
  EXPECT_NEAR(sigmoid(-40) / std::exp(-40.0), 1, 1e-12);
}

TEST(NormalizedEntropy, IsOneForTheBaseRate) {
  const auto logit = static_cast<float>(std::log(0.25 / 0.75));
  EXPECT_NEAR(normalized_entropy(Floats(4, logit), Floats{1, 0, 0, 0}), 1, 1e-7);
  // A weight of 3 on the positive makes the base rate one half.
  EXPECT_NEAR(normalized_entropy(Floats(4, 0), Floats{1, 0, 0, 0}, Floats{3, 1, 1, 1}), 1, 1e-15);
  EXPECT_NEAR(binary_entropy(0.5), std::log(2.0), 1e-15);
}

TEST(NormalizedEntropy, IsUndefinedForOneClass) {
  EXPECT_TRUE(std::isnan(normalized_entropy(Floats{1, 2}, Floats{1, 1})));
  EXPECT_TRUE(std::isnan(normalized_entropy(Floats{1, 2}, Floats{0, 0})));
  EXPECT_TRUE(std::isnan(normalized_entropy(Floats{}, Floats{})));
}

}  // namespace
}  // namespace limber
