#include "limber/core/data/ads_truth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "limber/core/data/ads_block.h"

namespace limber {
namespace {

AdsImpression impression_of(const AdsBlock& block, std::size_t row) {
  AdsImpression impression;
  impression.member = block.members[row];
  for (std::size_t c = 0; c < block.ids.size(); ++c) impression.ids[c] = block.ids[c][row];
  for (std::size_t c = 0; c < block.numbers.size(); ++c) {
    impression.numbers[c] = block.numbers[c][row];
  }
  impression.device = block.devices[row];
  return impression;
}

TEST(AdsTruth, TheScoreFollowsFromWhatTheLogShows) {
  const AdsBlock block = AdsBlocks(4, 100).draw(0, 500);
  const AdsTruth truth(4);
  for (std::size_t row = 0; row < 500; ++row) {
    EXPECT_EQ(truth.score(impression_of(block, row)), block.scores[row]);
  }
  EXPECT_NE(AdsTruth(5).score(impression_of(block, 0)), block.scores[0]);
}

/// f(a', b') - f(a', b) - f(a, b') + f(a, b): 0 for all ids and numbers that only add up.
TEST(AdsTruth, PairsInteractAsListed) {
  const AdsTruth truth(1);
  const AdsImpression start = impression_of(AdsBlocks(1, 100).draw(0, 1), 0);
  const auto interaction = [&](std::size_t first, std::size_t second) {
    const auto score = [&](int more_first, int more_second) {
      AdsImpression changed = start;
      changed.ids[first] += more_first;
      changed.ids[second] += more_second;
      return truth.score(changed);
    };
    return std::abs(score(1, 1) - score(1, 0) - score(0, 1) + score(0, 0));
  };
  EXPECT_GT(interaction(1, 4), 1e-3);  // order 2
  EXPECT_GT(interaction(1, 5), 1e-3);  // part of order 3
  EXPECT_LT(interaction(9, 13), 1e-12);
  EXPECT_LT(interaction(20, 21), 1e-12);
}

TEST(AdsTruth, HiddenEffectsAreStandardized) {
  // Of the whole score only the seventh id term depends on id 17.
  const AdsTruth truth(3);
  AdsImpression impression = impression_of(AdsBlocks(3, 100).draw(0, 1), 0);
  impression.ids[17] = 1;
  double sum = 0;
  double squares = 0;
  constexpr int kValues = 13000;
  const double first = truth.score(impression);
  for (int id = 1; id <= kValues; ++id) {
    impression.ids[17] = id;
    const double moved = (truth.score(impression) - first) / 0.3;
    sum += moved;
    squares += moved * moved;
  }
  const double mean = sum / kValues;
  EXPECT_NEAR(squares / kValues - mean * mean, 1, 0.04);
}

TEST(AdsTruth, TheSequenceForgets) {
  for (int k = 1; k < AdsTruth::kActions; ++k) {
    EXPECT_GT(AdsTruth::sequence(k), AdsTruth::sequence(k + 1));
  }
  EXPECT_GT(AdsTruth::sequence(AdsTruth::kActions), 0);
  EXPECT_EQ(AdsTruth::sequence(AdsTruth::kActions + 1), 0);
}

TEST(AdsTruth, EachDeviceBendsTheScoreButKeepsItsOrder) {
  for (int device = 0; device < static_cast<int>(AdsTruth::kDevices.size()); ++device) {
    for (double score = -5; score < 5; score += 0.25) {
      EXPECT_LT(AdsTruth::bend(score, device), AdsTruth::bend(score + 0.25, device));
    }
    const double below = AdsTruth::bend(0, device) - AdsTruth::bend(-1, device);
    const double above = AdsTruth::bend(1, device) - AdsTruth::bend(0, device);
    EXPECT_EQ(below == above, device == 0);
  }
}

TEST(AdsHistory, CountsActionsSinceTheLastClick) {
  constexpr int kNone = AdsTruth::kActions + 1;
  AdsHistory history(3, 1, 0);
  EXPECT_EQ(history.since_click(3, 12), kNone);
  history.add(3, 12, true);
  EXPECT_EQ(history.since_click(3, 12), 1);
  EXPECT_EQ(history.since_click(3, 11), kNone);
  EXPECT_EQ(history.since_click(2, 12), kNone);
  for (int k = 2; k <= 9; ++k) {
    history.add(3, 12, false);
    EXPECT_EQ(history.since_click(3, 12), std::min(k, kNone));
  }
}

TEST(AdsHistory, MembersHadAPast) {
  constexpr int kMembers = 20000;
  const AdsHistory history(kMembers, 1, 0.2);
  std::array<double, AdsTruth::kActions + 2> counts{};
  for (int member = 1; member <= kMembers; ++member) {
    counts.at(static_cast<std::size_t>(history.since_click(member, 3))) += 1;
  }
  EXPECT_NEAR(counts[1] / kMembers, 0.2, 0.015);
  EXPECT_NEAR(counts[2] / kMembers, 0.16, 0.015);
  EXPECT_NEAR(counts[AdsTruth::kActions + 1] / kMembers, std::pow(0.8, 5), 0.015);
}

}  // namespace
}  // namespace limber
