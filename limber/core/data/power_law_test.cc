#include "limber/core/data/power_law.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace limber {
namespace {

TEST(PowerLaw, SharesSumToOneAndFallAsThePower) {
  for (const double exponent : {0.4, 1.0, 1.3}) {
    const PowerLaw law(5000, exponent);
    double sum = 0;
    for (std::int64_t rank = 1; rank <= 5000; ++rank) sum += law.share(rank);
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_NEAR(law.share(100) / law.share(1000) / std::pow(10, exponent), 1, 0.01);
  }
}

TEST(PowerLaw, DrawsHaveTheirShares) {
  constexpr int kDraws = 200000;
  for (const double exponent : {0.4, 1.0, 1.3}) {
    const PowerLaw law(50, exponent);
    Random random(3);
    std::vector<double> counts(51, 0);
    for (int i = 0; i < kDraws; ++i) counts.at(static_cast<std::size_t>(law.draw(random))) += 1;
    EXPECT_EQ(counts[0], 0);
    for (std::int64_t rank = 1; rank <= 50; ++rank) {
      const double expected = kDraws * law.share(rank);
      EXPECT_NEAR(counts[static_cast<std::size_t>(rank)], expected, 4.5 * std::sqrt(expected));
    }
  }
}

TEST(PowerLaw, OneRankIsAlwaysDrawn) {
  const PowerLaw law(1, 1.0);
  Random random(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(law.draw(random), 1);
}

}  // namespace
}  // namespace limber
