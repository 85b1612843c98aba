#include "limber/companions/crossbar/cost_model.h"

#include <gtest/gtest.h>

#include "limber/companions/crossbar/cost_constants.h"
#include "limber/companions/crossbar/mapping.h"
#include "limber/companions/crossbar/weights_for_test.h"

namespace limber::crossbar {
namespace {

TEST(CostModel, PartsAddUpToTheTotalsOfTheTable) {
  double power = 0;
  double area = 0;
  for (const IsaacPart& part : {kCells, kConversions, kDrivers, kSampleAndHolds, kShiftAndAdds,
                                kInputRegisters, kOutputRegisters}) {
    power += part.power;
    area += part.area;
  }
  // Twelve units: 289 mW and 0.157 mm^2.
  EXPECT_NEAR(12 * power, 0.289, 0.0005);
  EXPECT_NEAR(12 * area, 0.157, 0.0005);
}

TEST(CostModel, EightFullArraysCostWhatTheTableSays) {
  // 128 x 256 weights of 8 bits in cells of 4 fill eight arrays.
  const CrossbarCounts counts = dense_counts({"w", 128, 256, 1}, 8, CrossbarOptions{});
  ASSERT_EQ(counts.crossbars, 8);
  const CrossbarCost cost = cost_of(counts);
  EXPECT_NEAR(cost.area.sum(), 0.01312, 1e-9);
  // One inference is a read for each input bit; read after read it takes 24.08 mW.
  EXPECT_NEAR(cost.energy.sum() / (kInputBits * kReadTime), 24.08e-3, 1e-9);
  EXPECT_NEAR(cost.energy.converters / cost.energy.sum(), 16 / 24.08, 1e-9);
  EXPECT_NEAR(cost.area.converters, 0.0096, 1e-12);
  EXPECT_NEAR(power_of(cost, 1000), 1000 * cost.energy.sum(), 1e-15);
}

TEST(CostModel, AreaCountsCrossbarsAndEnergyCountsUses) {
  const CrossbarCost once = cost_of(dense_counts({"w", 100, 50, 1}, 8, CrossbarOptions{}));
  const CrossbarCost often = cost_of(dense_counts({"w", 100, 50, 64}, 8, CrossbarOptions{}));
  EXPECT_DOUBLE_EQ(often.area.sum(), once.area.sum());
  EXPECT_NEAR(often.energy.sum(), 64 * once.energy.sum(), 1e-9 * often.energy.sum());
}

TEST(CostModel, FewerUnitsCostLess) {
  double area = 1e9;
  double energy = 1e9;
  for (const std::int64_t units : {512, 300, 200, 100, 20, 1, 0}) {
    const CrossbarCost cost = cost_of(dense_counts({"w", units, units, 1}, 8, CrossbarOptions{}));
    EXPECT_LT(cost.area.sum(), area);
    EXPECT_LT(cost.energy.sum(), energy);
    area = cost.area.sum();
    energy = cost.energy.sum();
  }
  EXPECT_EQ(area, 0);
  EXPECT_EQ(energy, 0);
}

TEST(CostModel, ReductionsAreSharesOfBefore) {
  EXPECT_DOUBLE_EQ(reduction(4, 1), 0.75);
  EXPECT_DOUBLE_EQ(reduction(4, 0), 1);
  EXPECT_DOUBLE_EQ(reduction(4, 5), -0.25);
  EXPECT_DOUBLE_EQ(reduction(0, 0), 0);
}

}  // namespace
}  // namespace limber::crossbar
