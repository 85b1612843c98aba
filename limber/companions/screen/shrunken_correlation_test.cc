#include "limber/companions/screen/shrunken_correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "limber/core/base/random.h"

namespace limber::screen {
namespace {

/// Solves A x = b by Gaussian elimination with pivots.
std::vector<double> solve_plainly(std::vector<std::vector<double>> a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i; r < n; ++r) {
      if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
    }
    std::swap(a[i], a[pivot]);
    std::swap(b[i], b[pivot]);
    for (std::size_t r = i + 1; r < n; ++r) {
      const double factor = a[r][i] / a[i][i];
      for (std::size_t c = i; c < n; ++c) a[r][c] -= factor * a[i][c];
      b[r] -= factor * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t c = i + 1; c < n; ++c) b[i] -= a[i][c] * b[c];
    b[i] /= a[i][i];
  }
  return b;
}

TEST(ShrunkenCorrelation, IsTheFullMatrixRuleWithoutTheFullMatrix) {
  Random random(3);
  for (const double share : {1.0, 0.5, 0.03}) {
    constexpr std::size_t kTraining = 7;
    constexpr std::size_t kOthers = 4;
    constexpr std::size_t kFeatures = 11;
    constexpr std::size_t kDirections = 2;
    constexpr double kDegrees = 5;
    const auto draw = [&](std::size_t rows, std::size_t columns) {
      std::vector<std::vector<double>> result(rows, std::vector<double>(columns));
      for (auto& row : result) {
        for (double& value : row) value = random.normal();
      }
      return result;
    };
    // By feature.
    const auto r = draw(kFeatures, kTraining);
    auto u = draw(kFeatures, kOthers);
    u[2][0] = u[5][0] = u[5][3] = std::numeric_limits<double>::quiet_NaN();
    const auto d = draw(kFeatures, kDirections);
    const auto o = draw(kFeatures, kDirections);
    CrossProducts products(kTraining, kOthers, kDirections);
    for (std::size_t j = 0; j < kFeatures; ++j) products.add(r[j], u[j], d[j], o[j]);
    const std::vector<double> scores = products.scores(share, kDegrees);
    const std::vector<double> dual = products.dual(share, kDegrees);

    std::vector<std::vector<double>> gamma(kFeatures, std::vector<double>(kFeatures));
    for (std::size_t a = 0; a < kFeatures; ++a) {
      for (std::size_t b = 0; b < kFeatures; ++b) {
        for (std::size_t i = 0; i < kTraining; ++i) {
          gamma[a][b] += (1 - share) * r[a][i] * r[b][i] / kDegrees;
        }
      }
      gamma[a][a] += share;
    }
    for (std::size_t k = 0; k < kDirections; ++k) {
      std::vector<double> difference;
      for (const auto& row : d) difference.push_back(row[k]);
      const std::vector<double> weights = solve_plainly(gamma, difference);
      for (std::size_t j = 0; j < kFeatures; ++j) {
        double weight = d[j][k];
        for (std::size_t i = 0; i < kTraining; ++i) weight -= r[j][i] * dual[i * kDirections + k];
        EXPECT_NEAR(weight / share, weights[j], 1e-9);
      }
      for (std::size_t i = 0; i < kOthers; ++i) {
        double expected = 0;
        for (std::size_t j = 0; j < kFeatures; ++j) {
          // A missing value speaks for no class.
          if (!std::isnan(u[j][i])) expected += (u[j][i] - o[j][k]) * weights[j];
        }
        EXPECT_NEAR(scores[i * kDirections + k], expected, 1e-9);
      }
    }
  }
}

}  // namespace
}  // namespace limber::screen
