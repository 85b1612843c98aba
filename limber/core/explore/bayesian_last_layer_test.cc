#include "limber/core/explore/bayesian_last_layer.h"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <cmath>
#include <limits>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/explore/drawn_rows_for_test.h"

namespace limber {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr LastLayerOptions kNumbers{
    .label = LastLayerLabel::kNumber, .prior_precision = 0.7, .noise_variance = 0.5};
constexpr LastLayerOptions kBinary{
    .label = LastLayerLabel::kBinary, .prior_precision = 0.7, .noise_variance = 1};

std::vector<double> some_mean(std::size_t dim) {
  std::vector<double> mean;
  for (std::size_t i = 0; i < dim; ++i) mean.push_back(0.3 * static_cast<double>(i) - 1);
  return mean;
}

double difference(const MatrixXd& a, const MatrixXd& b) {
  return (a - b).cwiseAbs().maxCoeff();
}

TEST(BayesianLastLayer, WithoutRowsTheModelIsUnchangedBitForBit) {
  const std::vector<double> mean = some_mean(5);
  for (const LastLayerOptions& options : {kNumbers, kBinary}) {
    BayesianLastLayer layer(mean, options);
    layer.update(LastLayerRows{});
    layer.decay(0.3);
    EXPECT_EQ(layer.mean(), as_vector(mean));
    EXPECT_NEAR(layer.variance(std::vector<double>{1, 2, 0, 0, 0}), 5 / 0.7, 1e-12);
  }
}

TEST(BayesianLastLayer, NumbersGiveTheRidgeFormula) {
  Random random(1);
  const DrawnRows rows = draw_rows(200, 6, LastLayerLabel::kNumber, random);
  const std::vector<double> prior = some_mean(6);
  BayesianLastLayer layer(prior, kNumbers);
  layer.update(rows.view());

  const MatrixXd z = rows.matrix();
  const MatrixXd weighted = as_vector(rows.weights).asDiagonal() * z / kNumbers.noise_variance;
  const MatrixXd a = kNumbers.prior_precision * MatrixXd::Identity(6, 6) + weighted.transpose() * z;
  const VectorXd c = kNumbers.prior_precision * as_vector(prior) +
                     weighted.transpose() * (as_vector(rows.labels) - as_vector(rows.offsets));
  const MatrixXd covariance = a.inverse();
  EXPECT_LT(difference(layer.mean(), covariance * c), 1e-8);
  EXPECT_LT(difference(layer.precision(), a), 1e-8);
  const VectorXd one = z.row(3);
  EXPECT_NEAR(layer.variance({one.data(), 6}), one.dot(covariance * one), 1e-8);
}

TEST(BayesianLastLayer, NumbersOneByOneAreTheBatch) {
  Random random(2);
  DrawnRows rows = draw_rows(300, 7, LastLayerLabel::kNumber, random);
  rows.offsets.assign(rows.offsets.size(), 0);
  BayesianLastLayer batch(some_mean(7), kNumbers), single(some_mean(7), kNumbers),
      parts(some_mean(7), kNumbers);
  batch.update(rows.view());
  for (std::size_t row = 0; row < 300; ++row) {
    single.update(std::span(rows.inputs).subspan(row * 7, 7), rows.labels[row], rows.weights[row]);
  }
  for (std::size_t first = 0; first < 300; first += 60) parts.update(rows.view(first, 60));
  EXPECT_LT(difference(single.mean(), batch.mean()), 1e-9);
  EXPECT_LT(difference(single.precision(), batch.precision()), 1e-9);
  EXPECT_LT(difference(parts.mean(), batch.mean()), 1e-9);
}

TEST(BayesianLastLayer, DecayMovesPrecisionAndEvidenceTowardsThePrior) {
  Random random(3);
  const std::vector<double> prior = some_mean(4);
  BayesianLastLayer layer(prior, kNumbers);
  layer.update(draw_rows(50, 4, LastLayerLabel::kNumber, random).view());
  const MatrixXd before = layer.precision();
  const VectorXd c = before * layer.mean();
  const double p = kNumbers.prior_precision;
  layer.decay(0.8);
  const MatrixXd after = 0.8 * before + 0.2 * p * MatrixXd::Identity(4, 4);
  EXPECT_LT(difference(layer.precision(), after), 1e-10);
  EXPECT_LT(difference(layer.mean(), after.inverse() * (0.8 * c + 0.2 * p * as_vector(prior))),
            1e-10);
  layer.decay(0);
  EXPECT_EQ(layer.mean(), as_vector(prior));
}

/// The gradient of the logistic loss with its prior.
VectorXd gradient_at(const VectorXd& w, const DrawnRows& rows, const VectorXd& mean, double p) {
  const MatrixXd z = rows.matrix();
  const VectorXd logits = z * w + as_vector(rows.offsets);
  const VectorXd errors = (1 / (1 + (-logits.array()).exp())).matrix() - as_vector(rows.labels);
  return p * (w - mean) + z.transpose() * as_vector(rows.weights).cwiseProduct(errors);
}

TEST(BayesianLastLayer, OneBinaryBatchGivesTheMapOfLogisticRidge) {
  Random random(4);
  const DrawnRows rows = draw_rows(400, 6, LastLayerLabel::kBinary, random);
  const std::vector<double> prior = some_mean(6);
  BayesianLastLayer layer(prior, kBinary);
  layer.update(rows.view());
  const auto gradient = [&](const VectorXd& w) {
    return gradient_at(w, rows, as_vector(prior), kBinary.prior_precision);
  };
  EXPECT_LT(gradient(layer.mean()).cwiseAbs().maxCoeff(), 1e-9);
  // The precision is the gradient's derivative.
  MatrixXd derivative(6, 6);
  for (int i = 0; i < 6; ++i) {
    const VectorXd step = 1e-5 * VectorXd::Unit(6, i);
    derivative.col(i) = (gradient(layer.mean() + step) - gradient(layer.mean() - step)) / 2e-5;
  }
  EXPECT_LT(difference(layer.precision(), derivative), 1e-6);
}

TEST(BayesianLastLayer, BinaryBatchesOneAfterAnotherComeCloseToOneBatch) {
  Random random(5);
  const DrawnRows rows = draw_rows(4000, 5, LastLayerLabel::kBinary, random);
  BayesianLastLayer batch(some_mean(5), kBinary), parts(some_mean(5), kBinary);
  batch.update(rows.view());
  for (std::size_t first = 0; first < 4000; first += 200) parts.update(rows.view(first, 200));
  // Laplace's approximation depends on the order; by far less than what is not known.
  for (Eigen::Index i = 0; i < 5; ++i) {
    const VectorXd unit = VectorXd::Unit(5, i);
    EXPECT_NEAR(parts.mean()[i], batch.mean()[i],
                0.5 * std::sqrt(batch.variance({unit.data(), 5})));
  }
}

TEST(BayesianLastLayer, SeparableBinaryRowsStayFinite) {
  BayesianLastLayer layer(std::vector<double>{0, 0}, kBinary);
  std::vector<double> inputs, labels;
  for (int row = 0; row < 1000; ++row) {
    inputs.insert(inputs.end(), {1, row % 2 == 0 ? 1e4 : -1e4});
    labels.push_back(row % 2 == 0 ? 1 : 0);
  }
  for (int pass = 0; pass < 5; ++pass) {
    layer.update({.inputs = inputs, .labels = labels, .weights = {}, .offsets = {}});
  }
  EXPECT_TRUE(layer.mean().allFinite());
  EXPECT_GT(layer.mean()[1], 0);
}

TEST(BayesianLastLayer, SamplesHaveTheMeanAndCovariance) {
  Random random(6);
  BayesianLastLayer layer(some_mean(4), kNumbers);
  layer.update(draw_rows(12, 4, LastLayerLabel::kNumber, random).view());
  constexpr int kDraws = 200000;
  constexpr double kNu = 1.5;
  const MatrixXd covariance = kNu * kNu * layer.precision().inverse();
  VectorXd mean = VectorXd::Zero(4);
  MatrixXd squares = MatrixXd::Zero(4, 4);
  for (int draw = 0; draw < kDraws; ++draw) {
    const VectorXd away = layer.sample(random, kNu) - layer.mean();
    mean += away / kDraws;
    squares += away * away.transpose() / kDraws;
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(mean[i], 0, 5 * std::sqrt(covariance(i, i) / kDraws));
    for (int j = 0; j < 4; ++j) {
      const double deviation = std::sqrt(
          (covariance(i, i) * covariance(j, j) + covariance(i, j) * covariance(i, j)) / kDraws);
      EXPECT_NEAR(squares(i, j), covariance(i, j), 5 * deviation);
    }
  }
  EXPECT_EQ(layer.sample(random, 0), layer.mean());
}

TEST(BayesianLastLayer, AnyUpdatesAndDecaysKeepItPositiveDefinite) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const LastLayerOptions& options = seed % 2 == 0 ? kNumbers : kBinary;
    const std::size_t dim = 1 + random.below(12);
    BayesianLastLayer layer(some_mean(dim), options);
    for (int step = 0; step < 30; ++step) {
      if (random.below(3) == 0) {
        layer.decay(random.below(8) == 0 ? 0 : random.uniform());
        continue;
      }
      DrawnRows rows = draw_rows(1 + random.below(20), dim, options.label, random);
      const double size = std::pow(10, 6 * random.uniform() - 3);
      for (double& value : rows.inputs) value *= size;
      layer.update(rows.view());
      const MatrixXd precision = layer.precision();
      EXPECT_EQ(difference(precision, precision.transpose()), 0);
      EXPECT_GT(Eigen::SelfAdjointEigenSolver<MatrixXd>(precision).eigenvalues()[0],
                0.99 * options.prior_precision - 1e-13 * precision.norm())
          << "seed " << seed << ", step " << step;
      EXPECT_TRUE(layer.sample(random).allFinite());
    }
  }
}

TEST(BayesianLastLayer, StateGoesOnWhereItWas) {
  Random random(7);
  const DrawnRows rows = draw_rows(90, 5, LastLayerLabel::kBinary, random);
  BayesianLastLayer layer(some_mean(5), kBinary);
  layer.update(rows.view(0, 60));
  LastLayerState state = layer.state();
  for (const bool single_precision : {false, true}) {
    if (single_precision) {
      for (auto* values : {&state.mean, &state.factor}) {
        for (double& value : *values) value = static_cast<float>(value);
      }
    }
    const double allowed = single_precision ? 1e-4 : 1e-10;
    BayesianLastLayer stored(state, kBinary), kept = layer;
    EXPECT_LT(difference(stored.precision(), kept.precision()), allowed);
    for (BayesianLastLayer* one : {&stored, &kept}) {
      one->decay(0.9);
      one->update(rows.view(60, 30));
    }
    EXPECT_LT(difference(stored.mean(), kept.mean()), allowed);
  }
}

TEST(BayesianLastLayer, RefusesWhatItCannotLearnFrom) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> z{1, 2};
  BayesianLastLayer layer(std::vector<double>{0, 0}, kBinary);
  layer.update(z, 1);
  const VectorXd before = layer.mean();
  EXPECT_THROW(layer.update(std::vector<double>{1}, 1), InputError);
  EXPECT_THROW(layer.update(std::vector<double>{1, nan}, 1), InputError);
  EXPECT_THROW(layer.update(std::vector<double>{1, 1e60}, 1), InputError);
  EXPECT_THROW(layer.update(z, nan), InputError);
  EXPECT_THROW(layer.update(z, 2), InputError);
  EXPECT_THROW(layer.update(z, -0.1), InputError);
  EXPECT_THROW(layer.update(z, 1, -1), InputError);
  EXPECT_THROW(layer.update(z, 1, nan), InputError);
  const std::vector<double> two{1, 0}, one{1};
  EXPECT_THROW(layer.update({.inputs = z, .labels = one, .weights = two, .offsets = {}}),
               InputError);
  EXPECT_THROW(layer.update({.inputs = z, .labels = one, .weights = {}, .offsets = two}),
               InputError);
  EXPECT_THROW(layer.decay(1.1), InputError);
  EXPECT_THROW(layer.decay(nan), InputError);
  EXPECT_THROW(layer.variance(one), InputError);
  Random random(8);
  EXPECT_THROW(layer.sample(random, -1), InputError);
  EXPECT_EQ(layer.mean(), before);

  EXPECT_THROW(BayesianLastLayer(std::vector<double>{}, kBinary), InputError);
  EXPECT_THROW(BayesianLastLayer(std::vector<double>{nan}, kBinary), InputError);
  EXPECT_THROW(BayesianLastLayer(one, {.prior_precision = 0}), InputError);
  EXPECT_THROW(BayesianLastLayer(one, {.noise_variance = -1}), InputError);
  LastLayerState state = layer.state();
  state.factor[2] = 0;
  EXPECT_THROW(BayesianLastLayer(state, kBinary), InputError);
  state.factor.pop_back();
  EXPECT_THROW(BayesianLastLayer(state, kBinary), InputError);
}

}  // namespace
}  // namespace limber
