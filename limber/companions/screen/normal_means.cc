#include "limber/companions/screen/normal_means.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/companions/screen/mixture.h"
#include "limber/core/base/random.h"

namespace limber::screen {
namespace {

std::vector<double> soft(std::span<const double> z, double threshold) {
  std::vector<double> result;
  for (const double value : z) {
    result.push_back(std::copysign(std::max(0.0, std::abs(value) - threshold), value));
  }
  return result;
}

}  // namespace

std::vector<double> mixture_means(std::span<const double> z) {
  ZHistogram histogram;
  for (const double value : z) histogram.add(value);
  const Mixture mixture = fit_mixture(histogram, {});
  std::vector<double> result;
  for (const double value : z) result.push_back(mixture.posterior(value).effect);
  return result;
}

std::vector<double> soft_universal(std::span<const double> z) {
  return soft(z, std::sqrt(2 * std::log(static_cast<double>(z.size()))));
}

std::vector<double> soft_sure(std::span<const double> z) {
  // SURE(t) = p - 2 #{|z| <= t} + sum min(z^2, t^2), smallest at some |z| or at zero.
  std::vector<double> magnitudes{0};
  for (const double value : z) magnitudes.push_back(std::abs(value));
  std::sort(magnitudes.begin(), magnitudes.end());
  const double p = static_cast<double>(z.size());
  double below = 0;
  double best = std::numeric_limits<double>::infinity();
  double threshold = 0;
  for (std::size_t i = 0; i < magnitudes.size(); ++i) {
    const double t = magnitudes[i];
    below += t * t;
    const double inside = static_cast<double>(i);
    const double risk = p - 2 * inside + below + (p - inside) * t * t;
    if (risk < best) {
      best = risk;
      threshold = t;
    }
  }
  return soft(z, threshold);
}

std::vector<double> soft_oracle(std::span<const double> z, std::span<const double> theta) {
  std::vector<double> best = soft(z, 0);
  for (double threshold = 0.01; threshold < 6; threshold += 0.01) {
    std::vector<double> here = soft(z, threshold);
    if (squared_error(here, theta) < squared_error(best, theta)) best = std::move(here);
  }
  return best;
}

std::vector<double> james_stein(std::span<const double> z) {
  double squares = 0;
  for (const double value : z) squares += value * value;
  const double factor = std::max(0.0, 1 - (static_cast<double>(z.size()) - 2) / squares);
  std::vector<double> result;
  for (const double value : z) result.push_back(factor * value);
  return result;
}

NormalMeans draw_normal_means(Signal signal, std::size_t p, double sparsity, std::uint64_t seed) {
  Random random(seed);
  const auto nonzero = static_cast<std::size_t>(std::lround(static_cast<double>(p) * sparsity));
  NormalMeans drawn;
  for (std::size_t j = 0; j < p; ++j) {
    double theta = 0;
    if (j < nonzero) {
      theta = signal == Signal::kNormal                        ? 3 * random.normal()
              : signal == Signal::kTwoSided && random.below(2) ? -3
                                                               : 3;
    }
    drawn.theta.push_back(theta);
    drawn.z.push_back(theta + random.normal());
  }
  return drawn;
}

double squared_error(std::span<const double> estimate, std::span<const double> theta) {
  double sum = 0;
  for (std::size_t j = 0; j < theta.size(); ++j) {
    sum += (estimate[j] - theta[j]) * (estimate[j] - theta[j]);
  }
  return sum / static_cast<double>(theta.size());
}

std::string signal_name(Signal signal) {
  if (signal == Signal::kPoint) return "all at 3";
  return signal == Signal::kTwoSided ? "3 or -3" : "N(0, 9)";
}

}  // namespace limber::screen
