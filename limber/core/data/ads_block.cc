#include "limber/core/data/ads_block.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/random.h"

namespace limber {
namespace {

// Members differ less than ads do, so that most of them have a history but few have thousands.
constexpr double kActivityExponent = 0.4;
constexpr double kLargestCount = 1e9;
// Shares of the devices, summed up.
constexpr std::array<double, AdsTruth::kDevices.size() - 1> kDeviceBounds{0.5, 0.8, 0.92};

std::int32_t draw_number(const AdsTruth::NumberLaw& law, Random& random) {
  const double normal = random.normal();
  if (law.missing > 0 && random.uniform() < law.missing) return AdsImpression::kMissing;
  const double count = std::exp(law.mean + law.deviation * normal) - 1;
  return static_cast<std::int32_t>(std::clamp(std::round(count), 0.0, kLargestCount));
}

}  // namespace

AdsBlocks::AdsBlocks(std::uint64_t seed, std::int64_t members)
    : seed_(seed), truth_(seed), activity_(members, kActivityExponent) {
  for (const AdsTruth::IdLaw& law : AdsTruth::kIdLaws) ids_.emplace_back(law.values, law.exponent);
}

AdsBlock AdsBlocks::draw(std::uint64_t number, std::int64_t rows) const {
  Random random(mix64(mix64(seed_) + number));
  AdsBlock block;
  const auto size = static_cast<std::size_t>(rows);
  for (auto& column : block.ids) column.resize(size);
  for (auto& column : block.numbers) column.resize(size);
  for (auto* column : {&block.members, &block.devices}) column->resize(size);
  for (auto* column : {&block.scores, &block.draws}) column->resize(size);
  for (std::size_t row = 0; row < size; ++row) {
    AdsImpression impression;
    impression.member = block.members[row] = activity_.draw(random);
    for (std::size_t c = 0; c < ids_.size(); ++c) {
      impression.ids[c] = block.ids[c][row] = ids_[c].draw(random);
    }
    for (std::size_t c = 0; c < block.numbers.size(); ++c) {
      impression.numbers[c] = block.numbers[c][row] = draw_number(AdsTruth::kNumberLaws[c], random);
    }
    const auto* device =
        std::upper_bound(kDeviceBounds.begin(), kDeviceBounds.end(), random.uniform());
    impression.device = block.devices[row] =
        static_cast<std::int32_t>(device - kDeviceBounds.begin());
    block.scores[row] = truth_.score(impression);
    block.draws[row] = random.uniform();
  }
  return block;
}

}  // namespace limber
