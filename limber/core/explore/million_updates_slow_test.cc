#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <array>
#include <cmath>

#include "limber/core/explore/bayesian_last_layer.h"

namespace limber {
namespace {

using LongMatrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
using LongVector = Eigen::Matrix<long double, Eigen::Dynamic, 1>;

/// After a million single updates with features from 1e-3 to 1e3 in size, some nearly the same as
/// others, the posterior is that of sums and a solution in long double.
TEST(MillionUpdatesSlow, StayOnTheClosedForm) {
  constexpr Eigen::Index kDim = 8;
  constexpr int kRows = 1'000'000;
  const LastLayerOptions options{.label = LastLayerLabel::kNumber};
  BayesianLastLayer layer(std::array<double, kDim>{}, options);
  LongMatrix a = LongMatrix::Identity(kDim, kDim);
  LongVector c = LongVector::Zero(kDim);
  Random random(1);
  for (int row = 0; row < kRows; ++row) {
    std::array<double, kDim> z{1};
    for (std::size_t i = 1; i < kDim; ++i) z[i] = random.normal();
    z[5] = z[4] + 1e-3 * z[5];
    z[6] = z[4] - z[3] + 1e-4 * z[6];
    for (std::size_t i = 1; i < kDim; ++i) z[i] *= std::pow(10, static_cast<double>(i) - 4);
    const double y = z[0] - z[3] + z[7] / 1000 + random.normal();
    layer.update(z, y);
    const LongVector wide =
        Eigen::Map<const Eigen::Matrix<double, kDim, 1>>(z.data()).cast<long double>();
    a.selfadjointView<Eigen::Lower>().rankUpdate(wide);
    c += wide * static_cast<long double>(y);
  }
  const LongVector exact = a.llt().solve(c);
  EXPECT_EQ(layer.factor().lift(), 0);
  for (Eigen::Index i = 0; i < kDim; ++i) {
    const Eigen::VectorXd unit = Eigen::VectorXd::Unit(kDim, i);
    const double deviation = std::sqrt(layer.variance({unit.data(), kDim}));
    const LongVector wide = unit.cast<long double>();
    const auto exact_deviation = static_cast<double>(std::sqrt(wide.dot(a.llt().solve(wide))));
    EXPECT_NEAR(layer.mean()[i], static_cast<double>(exact[i]), 1e-3 * deviation) << i;
    EXPECT_NEAR(deviation / exact_deviation, 1, 1e-4) << i;
  }
}

/// Features that are the same but for less than double precision can hold: what cannot be known is
/// not made up, and the outputs are right.
TEST(MillionUpdatesSlow, TheSameFeatureTwiceStaysPositiveDefinite) {
  const LastLayerOptions options{.label = LastLayerLabel::kNumber, .prior_precision = 1e-3};
  BayesianLastLayer layer(std::array<double, 3>{}, options);
  Random random(2);
  for (int row = 0; row < 1'000'000; ++row) {
    const double x = 1e6 * random.normal();
    layer.update(std::array<double, 3>{x, x, 1}, 2e-6 * x + 3 + random.normal());
  }
  EXPECT_GT(layer.factor().lift(), 0);
  EXPECT_TRUE(layer.sample(random).allFinite());
  EXPECT_NEAR(layer.mean()[0] + layer.mean()[1], 2e-6, 1e-8);
  EXPECT_NEAR(layer.mean()[2], 3, 0.01);
  // Apart, either is known far less well than their sum.
  const double one = layer.variance(std::array<double, 3>{1, 0, 0});
  EXPECT_GT(one, 10 * layer.variance(std::array<double, 3>{1, 1, 0}));
}

}  // namespace
}  // namespace limber
