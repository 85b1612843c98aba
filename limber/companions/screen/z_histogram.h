#pragma once

#include <cstdint>
#include <vector>

namespace limber::screen {

/// How many features have a z near each point of a fixed grid. It is all that fitting the mixture
/// needs to know of the features, however many there are, and since counts are integers it is the
/// same whatever order, thread or shard added them.
///
/// A z is counted at the nearest multiple of kStep; against its own standard deviation of one the
/// rounding adds a variance of kStep^2 / 12, two parts in 100,000. A |z| beyond kLargest is counted
/// there. Only the fit sees rounded values: every feature's posterior is taken at its own z.
class ZHistogram {
 public:
  static constexpr double kStep = 1.0 / 64;
  static constexpr double kLargest = 128;

  struct Bin {
    double z;
    std::int64_t features;
  };

  ZHistogram() : counts_(2 * kHalf + 1, 0) {}

  /// Throws Error unless `z` is finite and `features` is not negative.
  void add(double z, std::int64_t features = 1);
  void add(const ZHistogram& other);

  std::int64_t features() const { return features_; }
  /// The points with features, ascending.
  std::vector<Bin> bins() const;
  /// The smallest grid point that at least a share `share` in (0, 1] of the features lies at or
  /// below. The histogram must not be empty.
  double quantile(double share) const;

  friend bool operator==(const ZHistogram&, const ZHistogram&) = default;

 private:
  static constexpr int kHalf = static_cast<int>(kLargest / kStep);

  std::vector<std::int64_t> counts_;
  std::int64_t features_ = 0;
};

/// The spread of the null z's as the bulk of the features shows it (Efron 2004, "empirical null"):
/// the distance of the quartiles over that of a standard normal's, never below 1. Correlated
/// features make it larger than 1.
double empirical_null_sd(const ZHistogram& histogram);

}  // namespace limber::screen
