#include "limber/core/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace limber {
namespace {

/// Chi-square of counts against a uniform distribution.
double chi_square(const std::vector<std::uint64_t>& counts) {
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0ULL));
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const std::uint64_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

TEST(Mix64, IsSplitMix64) {
  // The published first output of SplitMix64 seeded with 0; its later ones advance the word.
  EXPECT_EQ(mix64(0), 0xE220A8397B1DCDAFULL);
  // Those of seed 1234567.
  constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;
  EXPECT_EQ(mix64(1234567), 6457827717110365317ULL);
  EXPECT_EQ(mix64(1234567 + kStep), 3203168211198807973ULL);
  EXPECT_EQ(mix64(1234567 + 2 * kStep), 9817491932198370423ULL);
}

TEST(Mix64, OneBitChangesHalfOfTheOutput) {
  double flipped = 0;
  for (std::uint64_t word = 0; word < 100; ++word) {
    for (int bit = 0; bit < 64; ++bit) {
      flipped += std::popcount(mix64(word) ^ mix64(word ^ (1ULL << bit)));
    }
  }
  EXPECT_NEAR(flipped / 6400, 32, 0.3);
}

TEST(Random, IsXoshiro256StarStar) {
  // The outputs of the authors' reference code from the state 1, 2, 3, 4.
  Random random(0);
  random.set_state({1, 2, 3, 4});
  for (const std::uint64_t expected :
       {11520ULL, 0ULL, 1509978240ULL, 1215971899390074240ULL, 1216172134540287360ULL,
        607988272756665600ULL, 16172922978634559625ULL, 8476171486693032832ULL}) {
    EXPECT_EQ(random.next(), expected);
  }
}

TEST(Random, SeedsGiveTheirOwnSequences) {
  Random first(1), again(1), other(2);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t word = first.next();
    EXPECT_EQ(word, again.next());
    seen.insert(word);
    seen.insert(other.next());
  }
  EXPECT_EQ(seen.size(), 2000U);
}

TEST(Random, ResumesFromItsState) {
  Random random(5);
  // An odd number of normals: a generator that kept the second of a pair would not resume.
  for (int i = 0; i < 3; ++i) random.normal();
  const Random::State state = random.state();
  std::vector<double> wanted;
  for (int i = 0; i < 20; ++i) wanted.push_back(i % 2 == 0 ? random.normal() : random.uniform());
  Random resumed(99);
  resumed.set_state(state);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(i % 2 == 0 ? resumed.normal() : resumed.uniform(), wanted[static_cast<size_t>(i)]);
  }
}

TEST(Random, UniformFillsTheUnitInterval) {
  Random random(6);
  std::vector<std::uint64_t> counts(100);
  for (int i = 0; i < 100000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    ++counts[static_cast<std::size_t>(value * 100)];
  }
  // 99 degrees of freedom: the 0.9999 quantile is 161.
  EXPECT_LT(chi_square(counts), 161);
}

TEST(Random, UniformNeverReachesOne) {
  // The largest word gives the largest value below 1.
  EXPECT_LT(static_cast<double>(~0ULL >> 11) * 0x1.0p-53, 1.0);
}

TEST(Random, BelowIsUniform) {
  Random random(7);
  for (const std::uint64_t bound : {1ULL, 2ULL, 7ULL, 100ULL}) {
    std::vector<std::uint64_t> counts(bound);
    for (int i = 0; i < 50000; ++i) ++counts.at(random.below(bound));
    const double freedom = static_cast<double>(bound - 1);
    EXPECT_LT(chi_square(counts), freedom + 5 * std::sqrt(2 * freedom) + 1e-9) << bound;
  }
}

TEST(Random, BelowHasNoRemainderBias) {
  // A plain remainder by 3 * 2^62 would give the lowest third half of all draws.
  Random random(8);
  const std::uint64_t bound = 3ULL << 62;
  std::vector<std::uint64_t> counts(3);
  for (int i = 0; i < 30000; ++i) ++counts.at(random.below(bound) >> 62);
  EXPECT_LT(chi_square(counts), 20);
}

TEST(Random, NormalHasItsMomentsAndTails) {
  Random random(9);
  constexpr int kDraws = 200000;
  double sum = 0, square = 0, cube = 0, fourth = 0;
  int beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    square += value * value;
    cube += value * value * value;
    fourth += value * value * value * value;
    beyond_two += std::abs(value) > 2 ? 1 : 0;
  }
  // Five standard errors each.
  const double error = 5 / std::sqrt(kDraws);
  EXPECT_NEAR(sum / kDraws, 0, error);
  EXPECT_NEAR(square / kDraws, 1, error * std::sqrt(2));
  EXPECT_NEAR(cube / kDraws, 0, error * std::sqrt(15));
  EXPECT_NEAR(fourth / kDraws, 3, error * std::sqrt(96));
  EXPECT_NEAR(beyond_two / static_cast<double>(kDraws), std::erfc(std::sqrt(2.0)), error * 0.21);
}

TEST(Random, ShuffleGivesEveryOrderAlike) {
  Random random(10);
  std::map<std::array<int, 4>, std::uint64_t> orders;
  for (int i = 0; i < 48000; ++i) {
    std::array<int, 4> values = {0, 1, 2, 3};
    random.shuffle(std::span<int>(values));
    ++orders[values];
  }
  ASSERT_EQ(orders.size(), 24U);
  std::vector<std::uint64_t> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  // 23 degrees of freedom: the 0.9999 quantile is 56.
  EXPECT_LT(chi_square(counts), 56);
}

TEST(Random, ShuffleTakesEmptyAndSingle) {
  Random random(11);
  const Random::State before = random.state();
  std::vector<int> none, one = {7};
  random.shuffle(std::span<int>(none));
  random.shuffle(std::span<int>(one));
  EXPECT_EQ(one, std::vector<int>{7});
  EXPECT_EQ(random.state(), before);
}

}  // namespace
}  // namespace limber
