#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "limber/core/data/ads_truth.h"
#include "limber/core/data/power_law.h"

namespace limber {

/// Consecutive impressions of the synthetic ads log, column by column, before anybody clicked.
struct AdsBlock {
  std::vector<std::int32_t> members;
  std::array<std::vector<std::int32_t>, AdsImpression::kIds> ids;
  std::array<std::vector<std::int32_t>, AdsImpression::kNumbers> numbers;
  std::vector<std::int32_t> devices;
  std::vector<double> scores;  ///< AdsTruth::score
  std::vector<double> draws;   ///< uniform; a click where it is below the probability

  std::int64_t rows() const { return static_cast<std::int64_t>(members.size()); }
};

/// Draws blocks, each from a stream of random numbers of its own, so that the next one can be
/// drawn while one is written.
class AdsBlocks {
 public:
  AdsBlocks(std::uint64_t seed, std::int64_t members);

  AdsBlock draw(std::uint64_t number, std::int64_t rows) const;

 private:
  std::uint64_t seed_;
  AdsTruth truth_;
  PowerLaw activity_;
  std::vector<PowerLaw> ids_;
};

}  // namespace limber
