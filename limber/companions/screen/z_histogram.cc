#include "limber/companions/screen/z_histogram.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/error.h"

namespace limber::screen {

void ZHistogram::add(double z, std::int64_t features) {
  if (!std::isfinite(z) || features < 0) {
    throw Error("histogram of z: {} features at {} cannot be counted", features, z);
  }
  const double bounded = std::clamp(z, -kLargest, kLargest);
  counts_[static_cast<std::size_t>(std::lround(bounded / kStep) + kHalf)] += features;
  features_ += features;
}

void ZHistogram::add(const ZHistogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  features_ += other.features_;
}

std::vector<ZHistogram::Bin> ZHistogram::bins() const {
  std::vector<Bin> bins;
  for (int i = 0; i <= 2 * kHalf; ++i) {
    const std::int64_t count = counts_[static_cast<std::size_t>(i)];
    if (count > 0) bins.push_back({(i - kHalf) * kStep, count});
  }
  return bins;
}

double ZHistogram::quantile(double share) const {
  const double wanted = share * static_cast<double>(features_);
  std::int64_t below = 0;
  for (int i = 0; i < 2 * kHalf; ++i) {
    below += counts_[static_cast<std::size_t>(i)];
    if (below > 0 && static_cast<double>(below) >= wanted) return (i - kHalf) * kStep;
  }
  return kLargest;
}

double empirical_null_sd(const ZHistogram& histogram) {
  constexpr double kNormalQuartiles = 1.3489795003921634;
  return std::max(1.0, (histogram.quantile(0.75) - histogram.quantile(0.25)) / kNormalQuartiles);
}

}  // namespace limber::screen
