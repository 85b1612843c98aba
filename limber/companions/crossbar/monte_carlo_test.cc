#include "limber/companions/crossbar/monte_carlo.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/companions/crossbar/weights_for_test.h"
#include "limber/core/base/error.h"

namespace limber::crossbar {
namespace {

using Weights = std::vector<std::vector<float>>;

CrossbarMapping mapping_of(std::vector<CrossbarWeight> weights, std::int64_t samples = 0) {
  CrossbarOptions options;
  options.rows = 16;
  options.columns = 24;
  options.cell_bits = 3;
  options.samples = samples;
  return map_network(std::move(weights), options);
}

TEST(MonteCarlo, WithoutFaultsTheWeightsAreExact) {
  Random random(1);
  std::vector<CrossbarWeight> weights;
  for (const std::int64_t bits : {1, 2, 4, 8, 12}) {
    weights.push_back(random_weight(random, 37, 29, bits, 0.6));
    weights.back().scale = static_cast<float>(std::exp(random.normal()));
  }
  const CrossbarMapping mapping = mapping_of(weights);
  for (const double ratio : {1.001, 2.0, 100.0, 1e9}) {
    CellFaults faults;
    faults.on_off_ratio = ratio;
    const Weights chip = draw_chip(mapping, faults, random);
    for (std::size_t l = 0; l < weights.size(); ++l) EXPECT_EQ(chip[l], values_of(weights[l]));
  }
}

TEST(MonteCarlo, APairIsTheDifferenceOfItsConductances) {
  Random random(2);
  for (int trial = 0; trial < 1000; ++trial) {
    const double highest = static_cast<double>(1 + random.below(255));
    const double ratio = 1 + std::exp(4 * random.normal());
    const double positive = std::floor(random.uniform() * (highest + 1));
    const double negative = std::floor(random.uniform() * (highest + 1));
    const double a = std::exp(0.3 * random.normal());
    const double b = std::exp(0.3 * random.normal());
    // In microsiemens, whatever the highest is.
    const double top = 37;
    const double bottom = top / ratio;
    const double step = (top - bottom) / highest;
    const double read = (a * (bottom + positive * step) - b * (bottom + negative * step)) / step;
    EXPECT_NEAR(read_pair(positive, a, negative, b, highest, ratio), read,
                1e-9 * (1 + std::abs(top / step)));
    EXPECT_EQ(read_pair(positive, 1, negative, 1, highest, ratio), positive - negative);
  }
}

TEST(MonteCarlo, VariationHasTheMomentsThatItSays) {
  // One slice, all codes 5 of 7: the mean is 5, the variance variation^2 ((g + 5)^2 + g^2) with g
  // the lowest conductance in steps.
  CrossbarWeight weight = full_weight(300, 300, 4);
  std::fill(weight.codes.begin(), weight.codes.end(), 5);
  weight.scale = 1;
  const CrossbarMapping mapping = mapping_of({weight});
  CellFaults faults;
  faults.variation = 0.2;
  faults.on_off_ratio = 8;
  Random random(3);
  const std::vector<float> drawn = draw_chip(mapping, faults, random)[0];
  double sum = 0;
  double squares = 0;
  for (const float value : drawn) {
    sum += value;
    squares += (value - 5.0) * (value - 5.0);
  }
  const auto count = static_cast<double>(drawn.size());
  const double lowest = 7.0 / (8 - 1);
  const double variance = 0.04 * ((lowest + 5) * (lowest + 5) + lowest * lowest);
  EXPECT_NEAR(sum / count, 5, 5 * std::sqrt(variance / count));
  EXPECT_NEAR(squares / count, variance, 0.03 * variance);
}

TEST(MonteCarlo, HigherSlicesErrInProportion) {
  // The same relative error of a cell weighs 8 times as much one slice up.
  CrossbarWeight low = full_weight(200, 100, 7);
  CrossbarWeight high = low;
  std::fill(low.codes.begin(), low.codes.end(), 7);
  std::fill(high.codes.begin(), high.codes.end(), 7 * 8);
  CellFaults faults;
  faults.variation = 0.1;
  Random random(4);
  Random again(4);
  const std::vector<float> small = draw_chip(mapping_of({low}), faults, random)[0];
  const std::vector<float> large = draw_chip(mapping_of({high}), faults, again)[0];
  for (std::size_t i = 0; i < small.size(); ++i) EXPECT_NEAR(large[i], 8 * small[i], 1e-4);
}

TEST(MonteCarlo, StuckCellsAreAsManyAsSaid) {
  // Zeros between ones, so that they have cells: such a pair reads +-7 where just one cell is stuck
  // high, and a one reads 0 where its upper cell is stuck low.
  CrossbarWeight weight = full_weight(400, 200, 4);
  for (std::size_t i = 0; i < weight.codes.size(); ++i) weight.codes[i] = i % 3 == 0 ? 0 : 1;
  weight.scale = 1;
  const CrossbarMapping mapping = mapping_of({weight});
  CellFaults faults;
  faults.stuck_high = 0.05;
  faults.stuck_low = 0.1;
  Random random(5);
  const std::vector<float> drawn = draw_chip(mapping, faults, random)[0];
  double zeros = 0, up = 0, down = 0, ones = 0, gone = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    if (weight.codes[i] == 0) {
      ++zeros;
      if (drawn[i] == 7) ++up;
      if (drawn[i] == -7) ++down;
    } else {
      ++ones;
      if (drawn[i] == 0) ++gone;
    }
  }
  const auto near = [](double share, double expected, double count) {
    EXPECT_NEAR(share, expected, 5 * std::sqrt(expected / count));
  };
  near(up / zeros, 0.05 * 0.95, zeros);
  near(down / zeros, 0.05 * 0.95, zeros);
  near(gone / ones, 0.1 * 0.95 + 0.05 * 0.05, ones);
  faults.stuck_high = 0;
  faults.stuck_low = 1;
  EXPECT_EQ(draw_chip(mapping, faults, random)[0], std::vector<float>(drawn.size(), 0.0F));
}

TEST(MonteCarlo, WhatHasNoCellsStaysZero) {
  Random random(6);
  CrossbarWeight weight = random_weight(random, 40, 30, 8);
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t o = 0; o < 30; ++o) {
      if (i % 4 == 1 || o % 5 == 2) weight.codes[i * 30 + o] = 0;
    }
  }
  weight.codes[0] = 0;  // a zero between others
  CellFaults faults;
  faults.variation = 0.3;
  faults.stuck_high = 0.2;
  const std::vector<float> drawn = draw_chip(mapping_of({weight}), faults, random)[0];
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t o = 0; o < 30; ++o) {
      if (i % 4 == 1 || o % 5 == 2) {
        EXPECT_EQ(drawn[i * 30 + o], 0);
      }
    }
  }
  EXPECT_NE(drawn[0], 0);
}

TEST(MonteCarlo, AChipIsTheSameHoweverManyAreDrawn) {
  Random random(7);
  const CrossbarWeight weight = random_weight(random, 20, 20, 8);
  const auto sum = [](const Weights& weights) {
    double total = 0;
    for (const float value : weights[0]) total += value;
    return total;
  };
  const MonteCarloResult few = run_monte_carlo(mapping_of({weight}, 3), 11, sum);
  const MonteCarloResult many = run_monte_carlo(mapping_of({weight}, 8), 11, sum);
  ASSERT_EQ(many.values.size(), 8U);
  EXPECT_EQ(few.values, std::vector<double>(many.values.begin(), many.values.begin() + 3));
  EXPECT_EQ(few.exact, sum({values_of(weight)}));
  EXPECT_NE(many.values[0], many.values[1]);
  EXPECT_NE(run_monte_carlo(mapping_of({weight}, 3), 12, sum).values, few.values);
}

TEST(MonteCarlo, NoSamplesAskForNothing) {
  const CrossbarMapping mapping = mapping_of({full_weight(3, 3, 4)});
  const MonteCarloResult result =
      run_monte_carlo(mapping, 1, [](const Weights&) -> double { throw Error("asked"); });
  EXPECT_TRUE(result.values.empty());
}

TEST(MonteCarlo, SummariesAreThoseOfTheSortedValues) {
  MonteCarloResult result;
  for (int i = 0; i <= 100; ++i) result.values.push_back((i * 37) % 101);
  summarise(result);
  EXPECT_DOUBLE_EQ(result.mean, 50);
  EXPECT_NEAR(result.deviation, std::sqrt(101.0 * 102 / 12), 1e-9);
  EXPECT_EQ(result.minimum, 0);
  EXPECT_EQ(result.maximum, 100);
  ASSERT_EQ(result.quantiles.size(), 5U);
  for (const auto& quantile : result.quantiles) {
    EXPECT_NEAR(quantile.value, 100 * quantile.share, 1e-9);
  }
  result.values = {0.25};
  summarise(result);
  EXPECT_EQ(result.deviation, 0);
  EXPECT_EQ(result.quantiles[4].value, 0.25);
  result.values = {1, 3};
  summarise(result);
  EXPECT_DOUBLE_EQ(result.quantiles[1].value, 1.5);
}

TEST(MonteCarlo, RefusesSharesThatAreMoreThanAll) {
  const CrossbarMapping mapping = mapping_of({full_weight(3, 3, 4)});
  Random random(8);
  CellFaults faults;
  faults.stuck_low = 0.7;
  faults.stuck_high = 0.6;
  EXPECT_THROW(draw_chip(mapping, faults, random), InputError);
  faults.stuck_high = 0;
  faults.on_off_ratio = 1;
  EXPECT_THROW(draw_chip(mapping, faults, random), Error);
}

}  // namespace
}  // namespace limber::crossbar
