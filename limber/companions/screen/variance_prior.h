#pragma once

#include <cstdint>
#include <vector>

#include "limber/companions/screen/class_statistics.h"
#include "limber/companions/screen/fixed_sum.h"

namespace limber::screen {

/// What is known of a feature's variance before its values are seen: 1 / sigma^2 is
/// chi-squared(degrees) / (degrees * variance). With n small a variance is as uncertain as a mean,
/// and the features with the smallest ones would win by luck (Smyth 2004; Limber's choice here).
struct VariancePrior {
  double degrees = 0;  ///< 0: none; infinite: all features have the same variance
  double variance = 0;

  /// Posterior estimate from a sample variance with `sample_degrees`.
  double moderated(double sample_variance, double sample_degrees) const;
  /// Whether the record has a z: where there is no prior, a feature that does not vary within its
  /// classes has no scale.
  bool usable(const Record& record) const {
    return record.usable() && moderated(record.variance(), record.degrees()) > 0;
  }
};

/// The sums over features from which the prior is fitted by the moments of log s^2. Adding is exact
/// in any order.
class VarianceMoments {
 public:
  /// Features without variance or degrees of freedom tell nothing, and are passed over.
  void add(const Record& record);
  void add(const VarianceMoments& other);
  /// Throws InputError beginning with `origin` when no feature has a variance above zero.
  VariancePrior prior(const std::string& origin) const;

 private:
  struct Terms {
    double offset = 0, trigamma = 0;
  };
  Terms terms(double degrees);

  FixedSum logs_, squares_, trigammas_;
  std::int64_t features_ = 0;
  std::vector<Terms> known_;  ///< by degrees of freedom
};

}  // namespace limber::screen
