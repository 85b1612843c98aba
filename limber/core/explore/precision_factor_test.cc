#include "limber/core/explore/precision_factor.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <limits>

#include "limber/core/base/error.h"

namespace limber {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST(PrecisionFactor, SolvesWithTheLowerTriangle) {
  MatrixXd a(3, 3);
  a << 4, 0, 0, 1, 3, 0, -1, 0.5, 2;
  const PrecisionFactor factor(a);
  const MatrixXd full = a.selfadjointView<Eigen::Lower>();
  EXPECT_LT((factor.lower() * factor.lower().transpose() - full).norm(), 1e-14);
  EXPECT_EQ(factor.lower()(0, 2), 0);
  EXPECT_EQ(factor.lift(), 0);
  const VectorXd z = VectorXd::LinSpaced(3, 1, 2);
  EXPECT_LT((full * factor.solve(z) - z).norm(), 1e-14);
  EXPECT_NEAR(factor.variance(z), z.dot(full.inverse() * z), 1e-14);
  EXPECT_LT((factor.lower().transpose() * factor.spread(z) - z).norm(), 1e-14);
}

TEST(PrecisionFactor, SizesOfFeaturesDoNotMatter) {
  MatrixXd a(2, 2);
  a << 1e60, 5e-1, 5e-1, 1e-60;
  const PrecisionFactor factor(a);
  EXPECT_EQ(factor.lift(), 0);
  EXPECT_NEAR(factor.variance(VectorXd::Unit(2, 1)) / (4e60 / 3), 1, 1e-12);
}

TEST(PrecisionFactor, LiftsWhatRoundingMadeSingular) {
  MatrixXd a = MatrixXd::Ones(4, 4) * 1e8;
  const PrecisionFactor factor(a);
  EXPECT_GT(factor.lift(), 0);
  EXPECT_LT(factor.lift(), 1e-12);
  EXPECT_NEAR(factor.variance(VectorXd::Ones(4)) * 1e8, 1, 1e-6);
  // A little below singular, as sums of many rows can be.
  a(3, 2) *= 1 + 1e-13;
  EXPECT_TRUE(PrecisionFactor(a).lower().allFinite());
}

TEST(PrecisionFactor, RefusesWhatIsNoPrecision) {
  MatrixXd a = MatrixXd::Identity(2, 2);
  a(0, 0) = 0;
  EXPECT_THROW(PrecisionFactor{a}, Error);
  a(0, 0) = std::numeric_limits<double>::infinity();
  EXPECT_THROW(PrecisionFactor{a}, Error);
  a(0, 0) = 1;
  a(1, 0) = 3;
  EXPECT_THROW(PrecisionFactor{a}, Error);
  a(1, 0) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(PrecisionFactor{a}, Error);
}

}  // namespace
}  // namespace limber
