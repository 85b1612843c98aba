#include "limber/companions/screen/special_functions.h"

#include <math.h>  // lgamma_r, which <cmath> does not promise

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace limber::screen {
namespace {

constexpr double kLogSqrtTwoPi = 0.91893853320467274178;

/// The continued fraction of the incomplete beta function (Lentz's method); converges fast for
/// x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= 1000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double step = d * c;
    fraction *= step;
    if (std::abs(step - 1) < 1e-15) break;
  }
  return fraction;
}

}  // namespace

double digamma(double x) {
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  const double r = 1 / (x * x);
  return sum + std::log(x) - 0.5 / x -
         r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132)))));
}

double trigamma(double x) {
  double sum = 0;
  for (; x < 10; ++x) sum += 1 / (x * x);
  const double r = 1 / (x * x);
  return sum + 1 / x + r / 2 +
         r / x * (1.0 / 6 - r * (1.0 / 30 - r * (1.0 / 42 - r * (1.0 / 30 - r * (5.0 / 66)))));
}

double inverse_trigamma(double y) {
  if (y > 1e7) return 1 / std::sqrt(y);
  if (y < 1e-6) return 1 / y;
  double x = 0.5 + 1 / y;
  for (int i = 0; i < 100; ++i) {
    const double here = trigamma(x);
    // The derivative of trigamma by a central difference would cost accuracy; the series of
    // tetragamma is as short as the others.
    double tetragamma = 0;
    double at = x;
    for (; at < 10; ++at) tetragamma -= 2 / (at * at * at);
    const double r = 1 / (at * at);
    tetragamma -= r * (1 + 1 / at + r * (0.5 - r * (1.0 / 6 - r * (1.0 / 6 - r * 0.3))));
    const double step = here * (1 - here / y) / tetragamma;
    x += step;
    if (std::abs(step) < 1e-14 * x) break;
  }
  return x;
}

double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double log_normal_upper_tail(double z) {
  if (z < 25) return std::log(0.5 * std::erfc(z / std::numbers::sqrt2));
  const double r = 1 / (z * z);
  return -0.5 * z * z - kLogSqrtTwoPi - std::log(z) +
         std::log1p(-r * (1 - 3 * r * (1 - 5 * r * (1 - 7 * r))));
}

double normal_from_log_upper_tail(double log_tail) {
  // Newton's method on the logarithm of the tail, which is concave and decreasing: from the left
  // of the root the first step overshoots no further than the root's asymptote, and later ones
  // close in from one side.
  double z = log_tail > -1 ? 0 : std::sqrt(-2 * log_tail) * 0.9;
  for (int i = 0; i < 100; ++i) {
    const double here = log_normal_upper_tail(z);
    const double hazard = std::exp(-0.5 * z * z - kLogSqrtTwoPi - here);
    const double step = (here - log_tail) / hazard;
    z += step;
    if (std::abs(step) <= 1e-14 * std::max(1.0, std::abs(z))) break;
  }
  return z;
}

StudentScore::StudentScore(double degrees)
    : degrees_(degrees),
      log_beta_(std::isinf(degrees)
                    ? 0
                    : log_gamma(degrees / 2) + log_gamma(0.5) - log_gamma((degrees + 1) / 2)) {}

double StudentScore::log_upper_tail(double t) const {
  const double a = degrees_ / 2;
  // x = degrees / (degrees + t^2), and 1 - x without cancellation.
  const double ratio = t / std::sqrt(degrees_);
  const double squares = ratio * ratio;
  const double log_x = -std::log1p(squares);
  const double x = 1 / (1 + squares);
  const double rest = squares / (1 + squares);
  // The square of a huge t overflows; log x = -2 log ratio then.
  const double safe_log_x = std::isinf(squares) ? -2 * std::log(ratio) : log_x;
  const double log_rest = std::isinf(squares) ? 0 : 2 * std::log(ratio) + log_x;
  if (x < (a + 1) / (a + 2.5)) {
    return a * safe_log_x + 0.5 * log_rest - log_beta_ - std::log(a) +
           std::log(beta_fraction(a, 0.5, x)) - std::numbers::ln2;
  }
  const double inner = rest == 0
                           ? 0
                           : std::exp(a * log_x + 0.5 * log_rest - log_beta_ + std::numbers::ln2) *
                                 beta_fraction(0.5, a, rest);
  return std::log1p(-inner) - std::numbers::ln2;
}

double StudentScore::operator()(double t) const {
  if (std::isinf(degrees_) || t == 0) return t;
  const double z = normal_from_log_upper_tail(log_upper_tail(std::abs(t)));
  return t < 0 ? -z : z;
}

}  // namespace limber::screen
