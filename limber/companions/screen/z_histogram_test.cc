#include "limber/companions/screen/z_histogram.h"

#include <gtest/gtest.h>

#include <limits>

#include "limber/core/base/error.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/random.h"

namespace limber::screen {
namespace {

TEST(ZHistogram, CountsAtTheNearestPointAndAddsInAnyOrder) {
  Random random(1);
  std::vector<double> z;
  for (int i = 0; i < 5000; ++i) z.push_back(3 * random.normal());
  z.insert(z.end(), {500.0, -500.0});
  ZHistogram whole;
  for (const double value : z) whole.add(value);
  ZHistogram parts[3];
  std::reverse(z.begin(), z.end());
  for (std::size_t i = 0; i < z.size(); ++i) parts[i % 3].add(z[i]);
  parts[1].add(parts[0]);
  parts[1].add(parts[2]);
  EXPECT_EQ(parts[1], whole);
  EXPECT_EQ(whole.features(), static_cast<std::int64_t>(z.size()));
  std::int64_t sum = 0;
  for (const auto& bin : whole.bins()) {
    const auto near = std::count_if(z.begin(), z.end(), [&](double value) {
      return std::abs(std::clamp(value, -128.0, 128.0) - bin.z) <= ZHistogram::kStep / 2;
    });
    EXPECT_EQ(bin.features, near) << bin.z;
    sum += bin.features;
  }
  EXPECT_EQ(sum, whole.features());
}

TEST(ZHistogram, QuantilesAreThoseOfTheSortedValues) {
  Random random(2);
  std::vector<double> z;
  ZHistogram histogram;
  for (int i = 0; i < 999; ++i) {
    z.push_back(std::round(200 * random.normal()) / 64);
    histogram.add(z.back());
  }
  std::sort(z.begin(), z.end());
  for (const double share : {0.001, 0.25, 0.5, 0.75, 1.0}) {
    const auto place = static_cast<std::size_t>(std::ceil(share * 999)) - 1;
    EXPECT_EQ(histogram.quantile(share), z[place]) << share;
  }
}

TEST(EmpiricalNull, FindsTheSpreadOfTheBulkAndNeverLessThanOne) {
  Random random(3);
  for (const double sd : {0.5, 1.0, 1.7, 2.5}) {
    ZHistogram histogram;
    for (int i = 0; i < 20000; ++i) histogram.add(i < 400 ? 12 : sd * random.normal());
    EXPECT_NEAR(empirical_null_sd(histogram), std::max(1.0, sd), 0.06 * sd) << sd;
  }
}

TEST(ZHistogram, RefusesWhatIsNoPlace) {
  ZHistogram histogram;
  for (const double z :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(histogram.add(z), Error);
  }
  EXPECT_THROW(histogram.add(0, -1), Error);
  EXPECT_EQ(histogram.features(), 0);
}

}  // namespace
}  // namespace limber::screen
