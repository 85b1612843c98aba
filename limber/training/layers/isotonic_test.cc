#include "limber/training/layers/isotonic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/training/layers/gradient_check_for_test.h"

namespace limber {
namespace {

using torch::Tensor;
const auto kDouble = torch::TensorOptions().dtype(torch::kDouble);

CalibrationOptions options_of(std::int64_t buckets, double range) {
  CalibrationOptions options;
  options.enabled = true;
  options.buckets = buckets;
  options.range = range;
  return options;
}

/// The w that gives this slope.
double raised(double slope, double floor) {
  return std::log(std::expm1(slope - floor));
}

TEST(Isotonic, StartsAsTheIdentityAlsoBeyondItsRange) {
  const torch::NoGradGuard no_grad;
  IsotonicCalibration layer(2, 3, options_of(7, 2), kDouble);
  const Tensor logits = torch::linspace(-9, 9, 40, kDouble).view({20, 2});
  EXPECT_TRUE(torch::allclose(layer(logits, torch::randn({20, 3}, kDouble)), logits, 1e-12, 1e-12));
}

TEST(Isotonic, ClosedForm) {
  const torch::NoGradGuard no_grad;
  // Buckets (-inf, -1), (-1, 0), (0, 1), (1, inf) with slopes 2, 1, 0.5, 3.
  IsotonicCalibration layer(1, 0, options_of(4, 2), kDouble);
  const std::vector<double> slopes = {2, 1, 0.5, 3};
  for (std::int64_t i = 0; i < 4; ++i) {
    layer->slopes[0][i] = raised(slopes[static_cast<std::size_t>(i)], 0.01);
  }
  layer->shift.fill_(0.25);
  const Tensor logits = torch::tensor({{-3.0}, {-0.5}, {0.0}, {0.5}, {1.0}, {4.0}}, kDouble);
  const Tensor expected =
      0.25 + torch::tensor({{-5.0}, {-0.5}, {0.0}, {0.25}, {0.5}, {9.5}}, kDouble);
  EXPECT_TRUE(torch::allclose(layer(logits, torch::empty({6, 0}, kDouble)), expected));
}

TEST(Isotonic, RisesWhateverItsWeights) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  IsotonicCalibration layer(1, 2, options_of(9, 3), kDouble);
  layer->slopes.normal_().mul_(50);
  layer->context.normal_().mul_(50);
  const Tensor logits = torch::linspace(-6, 6, 500, kDouble).view({500, 1});
  const Tensor context = torch::randn({1, 2}, kDouble).expand({500, 2});
  const Tensor calibrated = layer(logits, context);
  const Tensor rises = calibrated.narrow(0, 1, 499) - calibrated.narrow(0, 0, 499);
  EXPECT_GE(rises.min().item<double>(), 0.01 * 12 / 499 * 0.999);
}

TEST(Isotonic, ValuesOfAFeatureHaveCurvesOfTheirOwn) {
  const torch::NoGradGuard no_grad;
  IsotonicCalibration layer(1, 1, options_of(2, 1), kDouble);
  // e = context x feature: slope of the upper bucket, and the shift.
  layer->context[0][1] = 3.0;
  layer->context[0][2] = 0.5;
  const Tensor logits = torch::tensor({{2.0}, {2.0}}, kDouble);
  const Tensor feature = torch::tensor({{0.0}, {1.0}}, kDouble);
  const double slope = 0.01 + std::log1p(std::exp(raised(1, 0.01) + 3));
  EXPECT_TRUE(
      torch::allclose(layer(logits, feature), torch::tensor({{2.0}, {2 * slope + 0.5}}, kDouble)));
}

TEST(Isotonic, GradientsMatchDifferences) {
  torch::manual_seed(3);
  IsotonicCalibration layer(2, 3, options_of(5, 2), kDouble);
  {
    const torch::NoGradGuard no_grad;
    layer->slopes.normal_();
    layer->context.normal_();
  }
  const Tensor logits = (2 * torch::randn({6, 2}, kDouble)).requires_grad_();
  const Tensor features = torch::randn({6, 3}, kDouble).requires_grad_();
  const Tensor seed = torch::randn({6, 2}, kDouble);
  std::vector<Tensor> tensors = layer->parameters();
  tensors.push_back(logits);
  tensors.push_back(features);
  expect_gradients([&] { return (layer(logits, features) * seed).sum(); }, tensors);
}

// A bucket of the smallest slope still learns, and lets gradients through.
TEST(Isotonic, NoBucketDies) {
  IsotonicCalibration layer(1, 0, options_of(4, 2), kDouble);
  {
    const torch::NoGradGuard no_grad;
    layer->slopes.fill_(-8);
  }
  const Tensor logits = torch::tensor({{0.7}}, kDouble).requires_grad_();
  layer(logits, torch::empty({1, 0}, kDouble)).sum().backward();
  EXPECT_GT(layer->slopes.grad()[0][2].item<double>(), 0);
  EXPECT_GE(logits.grad().item<double>(), 0.01);
}

}  // namespace
}  // namespace limber
