#pragma once

#include <cstdint>

namespace limber {

struct Interval {
  double low = 0, high = 0;
};

/// The interval of 95 % of a share, `right` out of `all` > 0 (Wilson 1927, "Probable inference, the
/// law of succession, and statistical inference", JASA 22).
Interval wilson_interval(std::int64_t right, std::int64_t all);

/// Two classifiers on the same images.
struct PairedAccuracy {
  std::int64_t images = 0;
  std::int64_t only_first = 0;   ///< right by the first alone
  std::int64_t only_second = 0;  ///< right by the second alone

  /// Accuracy of the second less that of the first.
  double difference() const {
    return static_cast<double>(only_second - only_first) / static_cast<double>(images);
  }
  /// Its interval of 95 %: Wald's with half an image added to each of the four kinds (Agresti and
  /// Min 2005, "Simple improved confidence intervals for comparing matched proportions",
  /// Statistics in Medicine 24).
  Interval interval() const;
  /// Exact, two-sided p-value of equal accuracy (McNemar 1947, Psychometrika 12): how likely it is
  /// that images on which the two differ fall so unevenly, if each side is as likely.
  double p_value() const;
};

}  // namespace limber
