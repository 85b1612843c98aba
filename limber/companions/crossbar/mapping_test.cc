#include "limber/companions/crossbar/mapping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "limber/companions/crossbar/weights_for_test.h"
#include "limber/core/base/error.h"

namespace limber::crossbar {
namespace {

CrossbarOptions crossbars_of(std::int64_t rows, std::int64_t columns, std::int64_t cell_bits) {
  CrossbarOptions options;
  options.rows = rows;
  options.columns = columns;
  options.cell_bits = cell_bits;
  return options;
}

std::vector<std::size_t> first(std::int64_t count) {
  std::vector<std::size_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

std::vector<std::size_t> shuffled(Random& random, std::int64_t count) {
  std::vector<std::size_t> order = first(count);
  random.shuffle(std::span<std::size_t>(order));
  return order;
}

TEST(Mapping, ADenseLayerTakesWhatTheSizesSay) {
  // 7 bits of size in cells of 4 make 2 slices, a pair each: 4 cells a weight.
  const CrossbarCounts counts =
      map_weight(full_weight(128, 128, 8), crossbars_of(128, 128, 4)).counts;
  EXPECT_EQ(counts.crossbars, 4);
  EXPECT_EQ(counts.cells, 4 * 128 * 128);
  EXPECT_EQ(counts.used_cells, counts.cells);
  EXPECT_EQ(counts.drivers, 4 * 128);
  EXPECT_EQ(counts.bit_lines, 4 * 128);
  EXPECT_EQ(counts.converters, 4);
  EXPECT_EQ(counts.invocations, 4);
  EXPECT_EQ(counts.conversions, 4 * 128);
  // 5 bits fit one cell, so half as many do.
  EXPECT_EQ(map_weight(full_weight(128, 128, 5), crossbars_of(128, 128, 4)).counts.crossbars, 2);
}

TEST(Mapping, ALineTooManyTakesCrossbarsOfItsOwn) {
  const CrossbarOptions options = crossbars_of(128, 128, 4);
  const CrossbarCounts taller = map_weight(full_weight(129, 128, 8), options).counts;
  EXPECT_EQ(taller.crossbars, 8);
  EXPECT_EQ(taller.drivers, 4 * 129);
  EXPECT_EQ(taller.bit_lines, 8 * 128);
  const CrossbarCounts wider = map_weight(full_weight(128, 129, 8), options).counts;
  EXPECT_EQ(wider.crossbars, 5);
  EXPECT_EQ(wider.drivers, 5 * 128);
  EXPECT_EQ(wider.bit_lines, 4 * 129);
  EXPECT_EQ(wider.used_cells, 4 * 128 * 129);
}

TEST(Mapping, DenseCountsAreThoseOfALayerWithoutZeros) {
  Random random(4);
  for (int trial = 0; trial < 60; ++trial) {
    const auto up_to = [&](std::uint64_t most) {
      return static_cast<std::int64_t>(random.below(most + 1));
    };
    const CrossbarOptions options = crossbars_of(2 + up_to(20), 2 + up_to(300), 1 + up_to(7));
    const std::int64_t bits = 1 + up_to(8);
    CrossbarWeight weight = full_weight(up_to(50), up_to(90), bits);
    weight.uses = up_to(5);
    const DenseLayer dense{"weight", weight.inputs, weight.outputs, weight.uses};
    EXPECT_EQ(dense_counts(dense, bits, options), map_weight(weight, options).counts)
        << weight.inputs << " x " << weight.outputs << " of " << bits << " bits on " << options.rows
        << " x " << options.columns << " cells of " << options.cell_bits;
  }
}

TEST(Mapping, NothingTakesNothing) {
  const CrossbarOptions options = crossbars_of(16, 16, 2);
  for (const auto& [inputs, outputs] : {std::pair<int, int>{0, 5}, {5, 0}, {0, 0}, {40, 40}}) {
    CrossbarWeight weight = full_weight(inputs, outputs, 8);
    std::fill(weight.codes.begin(), weight.codes.end(), 0);
    CrossbarCounts nothing;
    nothing.weights = inputs * outputs;
    EXPECT_EQ(map_weight(weight, options).counts, nothing);
  }
}

TEST(Mapping, EveryDigitStandsOnceAndNoLineIsIdle) {
  Random random(5);
  for (int trial = 0; trial < 40; ++trial) {
    const CrossbarOptions options = crossbars_of(5, 7, 1 + trial % 4);
    const CrossbarWeight weight = random_weight(random, 23, 9, 6, 0.02 * trial);
    const LayerMapping layer = map_weight(weight, options);
    std::set<std::pair<std::int32_t, std::int32_t>> placed;
    const auto digit = [&](std::int32_t input, std::int32_t pair) {
      return digit_of(weight.codes[static_cast<std::size_t>(input * 9 + pair / layer.slices)],
                      pair % layer.slices, options.cell_bits);
    };
    for (const PlacedCrossbar& crossbar : layer.crossbars) {
      EXPECT_LE(crossbar.inputs.size(), 5U);
      EXPECT_LE(crossbar.pairs.size(), 3U);
      std::set<std::int32_t> inputs;
      std::set<std::int32_t> pairs;
      for (const std::int32_t input : crossbar.inputs) {
        for (const std::int32_t pair : crossbar.pairs) {
          EXPECT_TRUE(placed.emplace(input, pair).second);
          if (digit(input, pair) == 0) continue;
          inputs.insert(input);
          pairs.insert(pair);
        }
      }
      EXPECT_EQ(inputs.size(), crossbar.inputs.size());
      EXPECT_EQ(pairs.size(), crossbar.pairs.size());
    }
    for (std::int32_t input = 0; input < 23; ++input) {
      for (std::int32_t pair = 0; pair < 9 * layer.slices; ++pair) {
        if (digit(input, pair) == 0) continue;
        EXPECT_TRUE(placed.contains({input, pair}));
      }
    }
    EXPECT_EQ(static_cast<std::int64_t>(2 * placed.size()), layer.counts.used_cells);
  }
}

TEST(Mapping, ZeroingNeverCostsACrossbar) {
  Random random(6);
  for (int trial = 0; trial < 12; ++trial) {
    const CrossbarOptions options = crossbars_of(6, 10, 2);
    CrossbarWeight weight = random_weight(random, 20, 14, 5);
    std::int64_t before = dense_counts({"weight", 20, 14, 1}, 5, options).crossbars;
    for (const std::size_t at : shuffled(random, 20 * 14)) {
      weight.codes[at] = 0;
      const std::int64_t after = map_weight(weight, options).counts.crossbars;
      ASSERT_LE(after, before);
      before = after;
    }
    EXPECT_EQ(before, 0);
  }
}

TEST(Mapping, LinesThatWerePrunedAreAsIfTheyHadNeverBeen) {
  Random random(7);
  const CrossbarOptions options = crossbars_of(16, 16, 4);
  for (int trial = 0; trial < 20; ++trial) {
    CrossbarWeight weight = full_weight(70, 45, 8);
    std::vector<std::size_t> inputs;
    std::vector<std::size_t> outputs;
    for (const std::size_t i : first(70)) {
      if (random.uniform() < 0.5) inputs.push_back(i);
    }
    for (const std::size_t o : first(45)) {
      if (random.uniform() < 0.4) outputs.push_back(o);
    }
    CrossbarWeight pruned = weight;
    std::fill(pruned.codes.begin(), pruned.codes.end(), 0);
    for (const std::size_t i : inputs) {
      for (const std::size_t o : outputs) pruned.codes[i * 45 + o] = weight.codes[i * 45 + o];
    }
    CrossbarCounts expected = map_weight(selected(weight, inputs, outputs), options).counts;
    expected.weights = 70 * 45;
    EXPECT_EQ(map_weight(pruned, options).counts, expected);
    // Whole lines stay whole whatever the order.
    const CrossbarWeight moved = selected(pruned, shuffled(random, 70), shuffled(random, 45));
    EXPECT_EQ(map_weight(moved, options).counts, expected);
  }
}

TEST(Mapping, TheOrderOfOutputsDoesNotMatter) {
  Random random(8);
  for (int trial = 0; trial < 30; ++trial) {
    const CrossbarOptions options = crossbars_of(7, 12, 3);
    const CrossbarWeight weight = random_weight(random, 30, 21, 7, 0.03 * trial);
    const CrossbarCounts counts = map_weight(weight, options).counts;
    const CrossbarCounts moved =
        map_weight(selected(weight, first(30), shuffled(random, 21)), options).counts;
    EXPECT_EQ(moved.crossbars, counts.crossbars);
    EXPECT_EQ(moved.bit_lines, counts.bit_lines);
    EXPECT_EQ(moved.nonzero, counts.nonzero);
  }
}

TEST(Mapping, AZeroTileSavesItsCrossbars) {
  const CrossbarOptions options = crossbars_of(8, 8, 4);
  CrossbarWeight weight = full_weight(32, 16, 5);  // one slice: tiles of 8 x 4, 4 down and 4 across
  EXPECT_EQ(map_weight(weight, options).counts.crossbars, 16);
  for (std::size_t i = 8; i < 16; ++i) {
    for (std::size_t o = 4; o < 8; ++o) weight.codes[i * 16 + o] = 0;
  }
  EXPECT_EQ(map_weight(weight, options).counts.crossbars, 15);
}

TEST(Mapping, HighBitsThatNobodyUsesTakeNoLines) {
  const CrossbarOptions options = crossbars_of(16, 16, 4);
  CrossbarWeight weight = full_weight(16, 8, 8);
  std::fill(weight.codes.begin(), weight.codes.end(), 15);  // the upper slice is zero throughout
  EXPECT_EQ(map_weight(weight, options).counts.bit_lines, 2 * 8);
  weight.codes[3] = 16;
  EXPECT_EQ(map_weight(weight, options).counts.bit_lines, 2 * 9);
}

TEST(Mapping, AConvolutionIsReadOnceForEachOutputPosition) {
  CrossbarWeight weight = full_weight(27, 16, 8);
  weight.uses = 1024;
  const CrossbarOptions options = crossbars_of(128, 128, 4);
  const CrossbarCounts counts = map_weight(weight, options).counts;
  EXPECT_EQ(counts.crossbars, 1);
  EXPECT_EQ(counts.invocations, 1024);
  EXPECT_EQ(counts.conversions, 1024 * 64);
  EXPECT_EQ(counts.driven_lines, 1024 * 27);
  EXPECT_EQ(counts.read_cells, 1024 * 27 * 64);
  const CrossbarMapping mapping = map_network({weight, full_weight(128, 128, 8)}, options);
  EXPECT_EQ(mapping.total.crossbars, 5);
  EXPECT_EQ(mapping.total.invocations, 1028);
  EXPECT_EQ(mapping.total.weights, 27 * 16 + 128 * 128);
}

TEST(Mapping, RefusesAWeightThatDoesNotFitItsSizes) {
  CrossbarWeight weight = full_weight(4, 4, 4);
  weight.codes[5] = 8;
  EXPECT_THROW(map_weight(weight, CrossbarOptions{}), Error);
}

}  // namespace
}  // namespace limber::crossbar
