#include "limber/core/data/ads_truth.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "limber/core/base/random.h"

namespace limber {
namespace {

constexpr int kMember = -1;  ///< as a column: the member's id

struct IdTerm {
  int id;
  double weight;
};
struct NumberTerm {
  int number;
  double weight;
};
struct PairTerm {
  int first, second;
  double weight;
};
struct TripleTerm {
  int first, second, third;
  double weight;
};

// Columns count from 0 here: id 5 is the column id_06, number 5 the column number_06. Interactions
// are of ids with at most some two thousand values, so that millions of rows suffice to learn them.
constexpr std::array kIdTerms{IdTerm{kMember, 0.3}, IdTerm{0, 0.3},  IdTerm{2, 0.3}, IdTerm{5, 0.3},
                              IdTerm{9, 0.3},       IdTerm{13, 0.3}, IdTerm{17, 0.3}};
constexpr std::array kNumberTerms{NumberTerm{0, 0.3}, NumberTerm{1, -0.25}, NumberTerm{4, 0.2}};
constexpr std::array kIdPairs{PairTerm{1, 4, 0.5}, PairTerm{0, 6, 0.4}, PairTerm{3, 8, 0.4},
                              PairTerm{7, 11, 0.35}};
constexpr std::array kIdNumberPairs{PairTerm{2, 2, 0.4}, PairTerm{5, 5, 0.3}};
constexpr std::array kIdTriples{TripleTerm{1, 5, 7, 0.5}, TripleTerm{0, 3, 10, 0.4}};
constexpr std::array kIdIdNumberTriples{TripleTerm{2, 4, 9, 0.4}};

constexpr double kSequence = 2;
constexpr double kForgetting = 0.75;

struct Bend {
  double shift, lower, upper;
};
constexpr std::array<Bend, AdsTruth::kDevices.size()> kBends{
    {{0, 1, 1}, {-0.3, 0.6, 1.4}, {0.5, 1.5, 0.6}, {-0.9, 0.8, 0.4}}};

double standardized(const AdsImpression& impression, int number) {
  const std::int32_t count = impression.numbers[static_cast<std::size_t>(number)];
  if (count == AdsImpression::kMissing) return 0;
  const AdsTruth::NumberLaw& law = AdsTruth::kNumberLaws[static_cast<std::size_t>(number)];
  return std::clamp((std::log1p(count) - law.mean) / law.deviation, -3.0, 3.0);
}

}  // namespace

constexpr std::array<AdsTruth::NumberLaw, AdsImpression::kNumbers> AdsTruth::kNumberLaws{
    {{3, 1.0, 0},
     {2, 1.5, 0.05},
     {4, 1.0, 0.2},
     {2, 1.0, 0.1},
     {6, 2.0, 0.03},
     {4, 1.5, 0.2},
     {3, 1.2, 0.04},
     {3, 1.0, 0},
     {5, 1.2, 0.04},
     {3, 0.8, 0},
     {1.5, 0.8, 0.04},
     {1, 0.7, 0.4},
     {2, 1.0, 0.2}}};

constexpr std::array<AdsTruth::IdLaw, AdsImpression::kIds> AdsTruth::kIdLaws{
    {{12, 0.8},     {20, 0.8},     {30, 0.8},    {45, 0.9},    {70, 0.9},     {100, 0.9},
     {150, 0.9},    {220, 0.9},    {330, 1.0},   {500, 1.0},   {750, 1.0},    {1100, 1.0},
     {1700, 1.0},   {2500, 1.0},   {3800, 1.05}, {5700, 1.05}, {8500, 1.05},  {13000, 1.05},
     {20000, 1.05}, {30000, 1.05}, {50000, 1.1}, {80000, 1.1}, {130000, 1.1}, {250000, 1.1},
     {500000, 1.1}, {1000000, 1.1}}};

double AdsTruth::effect(int term, int column, std::int32_t id) const {
  const std::uint64_t place = static_cast<std::uint64_t>(term) << 48 |
                              static_cast<std::uint64_t>(column + 1) << 40 |
                              static_cast<std::uint64_t>(id);
  const double uniform = static_cast<double>(mix64(mix64(seed_) ^ mix64(place)) >> 11) * 0x1.0p-53;
  return std::numbers::sqrt3 * (2 * uniform - 1);
}

double AdsTruth::score(const AdsImpression& impression) const {
  int term = 0;
  const auto hidden = [&](int column) {
    const std::int32_t id =
        column == kMember ? impression.member : impression.ids[static_cast<std::size_t>(column)];
    return effect(term, column, id);
  };
  double score = 0;
  for (const auto& [id, weight] : kIdTerms) {
    score += weight * hidden(id);
    ++term;
  }
  for (const auto& [number, weight] : kNumberTerms) {
    score += weight * standardized(impression, number);
  }
  for (const auto& [first, second, weight] : kIdPairs) {
    score += weight * hidden(first) * hidden(second);
    ++term;
  }
  for (const auto& [id, number, weight] : kIdNumberPairs) {
    score += weight * hidden(id) * standardized(impression, number);
    ++term;
  }
  for (const auto& [first, second, third, weight] : kIdTriples) {
    score += weight * hidden(first) * hidden(second) * hidden(third);
    ++term;
  }
  for (const auto& [first, second, number, weight] : kIdIdNumberTriples) {
    score += weight * hidden(first) * hidden(second) * standardized(impression, number);
    ++term;
  }
  return score;
}

double AdsTruth::sequence(int since_click) {
  return since_click > kActions ? 0 : kSequence * std::pow(kForgetting, since_click - 1);
}

double AdsTruth::bend(double score, int device) {
  const Bend& bend = kBends[static_cast<std::size_t>(device)];
  return bend.shift + bend.lower * std::min(score, 0.0) + bend.upper * std::max(score, 0.0);
}

AdsHistory::AdsHistory(std::int64_t members, std::uint64_t seed, double rate)
    : since_(place(members + 1, 1)) {
  Random random(mix64(~seed));
  for (std::uint8_t& since : since_) {
    since = 1;
    while (since <= AdsTruth::kActions && random.uniform() >= rate) ++since;
  }
}

std::size_t AdsHistory::place(std::int64_t member, std::int64_t category) {
  return static_cast<std::size_t>((member - 1) * AdsTruth::kIdLaws[0].values + category - 1);
}

int AdsHistory::since_click(std::int32_t member, std::int32_t category) const {
  return since_[place(member, category)];
}

void AdsHistory::add(std::int32_t member, std::int32_t category, bool clicked) {
  std::uint8_t& since = since_[place(member, category)];
  const int longer = std::min(since + 1, AdsTruth::kActions + 1);
  since = clicked ? std::uint8_t{1} : static_cast<std::uint8_t>(longer);
}

}  // namespace limber
