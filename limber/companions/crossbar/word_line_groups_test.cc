#include "limber/companions/crossbar/word_line_groups.h"

#include <gtest/gtest.h>

#include <bit>

#include "limber/core/base/random.h"

namespace limber::crossbar {
namespace {

using Runs = std::vector<std::pair<std::size_t, std::size_t>>;
using Cost = std::pair<std::size_t, std::size_t>;

Cost cost_of_runs(const LinePattern& pattern, const Runs& runs, std::size_t per_crossbar) {
  Cost cost{0, 0};
  for (const auto& [begin, end] : runs) {
    std::size_t pairs = 0;
    for (std::size_t w = 0; w < pattern.words; ++w) {
      std::uint64_t needed = 0;
      for (std::size_t i = begin; i < end; ++i) needed |= pattern.bits[i * pattern.words + w];
      pairs += static_cast<std::size_t>(std::popcount(needed));
    }
    cost.first += (pairs + per_crossbar - 1) / per_crossbar;
    cost.second += pairs;
  }
  return cost;
}

LinePattern random_pattern(Random& random, std::size_t inputs, std::size_t pairs, double share) {
  LinePattern pattern{inputs, (pairs + 63) / 64, {}};
  pattern.bits.resize(inputs * pattern.words);
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      if (random.uniform() >= share) continue;
      pattern.bits[i * pattern.words + pair / 64] |= std::uint64_t{1} << (pair % 64);
    }
  }
  return pattern;
}

TEST(WordLineGroups, NoDivisionIsBetter) {
  Random random(3);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t inputs = 1 + random.below(9);
    const std::size_t rows = 1 + random.below(5);
    const std::size_t per_crossbar = 1 + random.below(12);
    const std::size_t pairs = 1 + random.below(90);
    const LinePattern pattern = random_pattern(random, inputs, pairs, 0.3 * random.uniform());
    const Runs found = group_word_lines(pattern, rows, per_crossbar);
    std::size_t next = 0;
    for (const auto& [begin, end] : found) {
      ASSERT_EQ(begin, next);
      ASSERT_LE(end - begin, rows);
      ASSERT_GT(end, begin);
      next = end;
    }
    ASSERT_EQ(next, inputs);
    // Every way to cut between neighbours.
    Cost best{inputs * pairs + 1, 0};
    for (std::uint64_t cuts = 0; cuts < std::uint64_t{1} << (inputs - 1); ++cuts) {
      Runs runs;
      std::size_t begin = 0;
      bool fits = true;
      for (std::size_t end = 1; end <= inputs; ++end) {
        if (end < inputs && (cuts >> (end - 1) & 1) == 0) continue;
        runs.emplace_back(begin, end);
        fits = fits && end - begin <= rows;
        begin = end;
      }
      if (fits) best = std::min(best, cost_of_runs(pattern, runs, per_crossbar));
    }
    EXPECT_EQ(cost_of_runs(pattern, found, per_crossbar), best);
  }
}

TEST(WordLineGroups, CutsWhereTheBlocksAre) {
  // Three inputs of one block, four of another: cutting every four would mix them.
  LinePattern pattern{7, 1, {0b0011, 0b0011, 0b0011, 0b1100, 0b1100, 0b1100, 0b1100}};
  EXPECT_EQ(group_word_lines(pattern, 4, 2), (Runs{{0, 3}, {3, 7}}));
  // With room for all pairs on one crossbar, fewer bit lines decide.
  EXPECT_EQ(group_word_lines(pattern, 4, 8), (Runs{{0, 3}, {3, 7}}));
}

TEST(WordLineGroups, NoInputsNeedNoRun) {
  EXPECT_TRUE(group_word_lines(LinePattern{0, 2, {}}, 4, 4).empty());
}

}  // namespace
}  // namespace limber::crossbar
