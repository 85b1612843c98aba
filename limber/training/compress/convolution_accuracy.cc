#include "limber/training/compress/convolution_accuracy.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

/// Of a standard normal, two-sided 95 %.
constexpr double deviate = 1.959963984540054;

}  // namespace

Interval wilson_interval(std::int64_t right, std::int64_t all) {
  const auto n = static_cast<double>(all);
  const double share = static_cast<double>(right) / n, square = deviate * deviate;
  const double centre = (share + square / (2 * n)) / (1 + square / n);
  const double half =
      deviate / (1 + square / n) * std::sqrt(share * (1 - share) / n + square / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Interval PairedAccuracy::interval() const {
  const double n = static_cast<double>(images) + 2;
  const double first = static_cast<double>(only_first) + 0.5;
  const double second = static_cast<double>(only_second) + 0.5;
  const double centre = (second - first) / n;
  const double squares = first + second - (second - first) * (second - first) / n;
  const double half = deviate * std::sqrt(squares) / n;
  return {std::max(-1.0, centre - half), std::min(1.0, centre + half)};
}

double PairedAccuracy::p_value() const {
  const std::int64_t differing = only_first + only_second;
  const std::int64_t fewer = std::min(only_first, only_second);
  // Terms of the binomial with probability 1/2, by their logarithms so that none underflows early.
  double log_term = -static_cast<double>(differing) * std::log(2.0), tail = 0;
  for (std::int64_t k = 0; k <= fewer; ++k) {
    tail += std::exp(log_term);
    log_term += std::log(static_cast<double>(differing - k)) - std::log(static_cast<double>(k + 1));
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace limber
