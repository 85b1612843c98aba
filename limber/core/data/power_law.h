#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "limber/core/base/random.h"

namespace limber {

/// Ranks 1 to `count`, the frequency of rank r falling about as r^-exponent (Zipf's law).
///
/// A real number x in [1, count + 1) with density proportional to x^-exponent, rounded down. Its
/// distribution function has a closed inverse, so that a draw needs no table, however many ranks
/// there are. Low ranks are a little rarer than r^-exponent says; share() is exact.
class PowerLaw {
 public:
  PowerLaw(std::int64_t count, double exponent)
      : count_(count), power_(1 - exponent), total_(integral(static_cast<double>(count) + 1)) {}

  std::int32_t draw(Random& random) const {
    const double area = random.uniform() * total_;
    const double x = power_ == 0 ? std::exp(area) : std::pow(1 + power_ * area, 1 / power_);
    return static_cast<std::int32_t>(std::clamp(static_cast<std::int64_t>(x), kFirst, count_));
  }

  /// The probability of a rank.
  double share(std::int64_t rank) const {
    const auto low = static_cast<double>(rank);
    return (integral(low + 1) - integral(low)) / total_;
  }

 private:
  static constexpr std::int64_t kFirst = 1;

  /// Of x^-exponent from 1 to `end`.
  double integral(double end) const {
    return power_ == 0 ? std::log(end) : (std::pow(end, power_) - 1) / power_;
  }

  std::int64_t count_;
  double power_;
  double total_;
};

}  // namespace limber
