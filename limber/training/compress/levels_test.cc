#include "limber/training/compress/levels.h"

#include <gtest/gtest.h>

#include <cmath>

namespace limber {
namespace {

using torch::Tensor;

double error_of(const Tensor& matrix, const Levels& levels) {
  return (matrix.to(torch::kDouble) - levels.values().to(torch::kDouble))
      .square()
      .sum()
      .item<double>();
}

double error_at(const Tensor& matrix, double scale, std::int64_t bits) {
  const Tensor codes =
      nearest_codes(matrix, static_cast<float>(scale), bits).to(torch::kDouble) * scale;
  return (matrix.to(torch::kDouble) - codes).square().sum().item<double>();
}

TEST(Levels, NearestCodeIsNearest) {
  torch::manual_seed(1);
  for (const std::int64_t bits : {2, 3, 4, 8}) {
    const Tensor matrix = torch::randn({7, 9});
    const float scale = 0.3F;
    const Tensor codes = nearest_codes(matrix, scale, bits);
    const std::int64_t highest = highest_code(bits);
    for (std::int64_t i = 0; i < matrix.numel(); ++i) {
      const double value = matrix.flatten()[i].item<double>();
      double least = INFINITY;
      for (std::int64_t code = -highest; code <= highest; ++code) {
        least = std::min(least,
                         std::abs(value - static_cast<double>(scale) * static_cast<double>(code)));
      }
      const auto code = static_cast<double>(codes.flatten()[i].item<std::int8_t>());
      EXPECT_LE(std::abs(code), static_cast<double>(highest));
      EXPECT_NEAR(std::abs(value - static_cast<double>(scale) * code), least, 1e-12);
    }
  }
}

TEST(Levels, NoScaleOfAFineGridIsBetter) {
  torch::manual_seed(2);
  for (const std::int64_t bits : {2, 3, 4, 6, 8}) {
    for (int draw = 0; draw < 5; ++draw) {
      const Tensor matrix = draw % 2 == 0 ? torch::randn({4, 5}) : torch::rand({4, 5}).pow(3);
      const double widest = matrix.abs().max().item<double>();
      double least = INFINITY;
      for (int i = 1; i <= 4000; ++i) {
        least = std::min(least, error_at(matrix, widest * 1.1 * i / 4000.0, bits));
      }
      const double error = error_of(matrix, fit_levels(matrix, bits));
      EXPECT_LE(error, least * (1 + 1e-5) + 1e-12) << bits << " bits, draw " << draw;
    }
  }
}

TEST(Levels, ManyElementsAreAsGoodAsAGridOfScales) {
  torch::manual_seed(6);
  // More elements times codes than all scales are looked at for.
  for (const auto& [bits, size] : {std::pair{8, 100}, std::pair{4, 400}}) {
    const Tensor matrix = torch::randn({size, size});
    const double widest = matrix.abs().max().item<double>();
    double least = INFINITY;
    for (int i = 1; i <= 60; ++i) {
      const double scale = widest / static_cast<double>(highest_code(bits)) * i / 50.0;
      least = std::min(least, error_at(matrix, scale, bits));
    }
    EXPECT_LE(error_of(matrix, fit_levels(matrix, bits)), 1.01 * least) << bits << " bits";
  }
}

TEST(Levels, StandsStillWhereItEnds) {
  torch::manual_seed(3);
  for (const std::int64_t bits : {2, 4, 8}) {
    const Tensor matrix = torch::randn({30, 20});
    const Levels levels = fit_levels(matrix, bits);
    // Codes are the nearest for the scale, and the scale is the best for the codes.
    EXPECT_TRUE(torch::equal(levels.codes, nearest_codes(matrix, levels.scale, bits)));
    const Tensor codes = levels.codes.to(torch::kDouble);
    const double best = (matrix.to(torch::kDouble) * codes).sum().item<double>() /
                        codes.square().sum().item<double>();
    EXPECT_NEAR(levels.scale, best, 1e-5 * best);
    // No turn from the plain scale, which reaches the largest weight, raises the error.
    const double plain =
        matrix.abs().max().item<double>() / static_cast<double>(highest_code(bits));
    EXPECT_LE(error_of(matrix, levels), error_at(matrix, plain, bits) * (1 + 1e-6));
  }
}

TEST(Levels, MatrixOnLevelsIsItself) {
  torch::manual_seed(4);
  for (const std::int64_t bits : {2, 3, 5, 8}) {
    const std::int64_t highest = highest_code(bits);
    const Tensor codes = torch::randint(-highest, highest + 1, {11, 6}).to(torch::kChar);
    codes[0][0] = static_cast<std::int8_t>(highest);
    const Levels before{codes, 0.0625F};
    const Levels again = fit_levels(before.values(), bits);
    EXPECT_TRUE(torch::equal(again.values(), before.values())) << bits << " bits";
  }
}

TEST(Levels, MaskedElementsAreZeroAndHaveNoSay) {
  torch::manual_seed(5);
  Tensor matrix = torch::randn({8, 8});
  const Tensor mask = torch::rand({8, 8}) < 0.5;
  const Levels levels = fit_levels(matrix, 4, mask);
  EXPECT_EQ(levels.codes.masked_select(~mask).abs().sum().item<std::int64_t>(), 0);
  const Tensor other = torch::where(mask, matrix, torch::full_like(matrix, 1000.0));
  EXPECT_EQ(fit_levels(other, 4, mask).scale, levels.scale);
}

TEST(Levels, ZerosStayZero) {
  const Levels levels = fit_levels(torch::zeros({3, 4}), 4);
  EXPECT_EQ(levels.values().abs().max().item<float>(), 0);
  EXPECT_GT(levels.scale, 0);
}

}  // namespace
}  // namespace limber
