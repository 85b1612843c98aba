#include "limber/core/data/alias_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace limber {
namespace {

TEST(AliasTable, DrawsInProportion) {
  const std::vector<double> weights{5, 0, 1, 0.5, 20, 3, 3};
  const AliasTable table(weights);
  Random random(1);
  constexpr int kDraws = 400000;
  std::vector<int> counts(weights.size());
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<std::size_t>(table.draw(random))];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double share = weights[i] / 32.5;
    const double deviation = std::sqrt(share * (1 - share) / kDraws);
    EXPECT_NEAR(counts[i] / static_cast<double>(kDraws), share, 4.5 * deviation) << i;
  }
  EXPECT_EQ(counts[1], 0);
}

TEST(AliasTable, OneWeight) {
  Random random(1);
  EXPECT_EQ(AliasTable(std::vector<double>{0.1}).draw(random), 0);
}

}  // namespace
}  // namespace limber
