#include "limber/companions/screen/mixture_ascent.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "limber/companions/screen/special_functions.h"

namespace limber::screen {
namespace {

/// Hyper-priors, weak: without them the bound of data with hardly a signal runs to zero_mass = 1,
/// where no atom can ever leave zero. zero_mass ~ Beta(2, 2); the slab's variance counts one
/// imaginary atom at 3, a difference that is just to be seen. The concentration's is of shape 15
/// and rate 1: left to itself the bound sets it so low where one atom holds all features that a
/// second costs nats which a handful of true differences cannot pay. Limber's choice.
constexpr double kZeroPrior = 2;
constexpr double kSlabPrior = 1;
constexpr double kSlabSquare = 9;
constexpr double kConcentrationShape = 15;
constexpr double kConcentrationRate = 1;

double square(double x) {
  return x * x;
}

double log_beta(double a, double b) {
  return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

}  // namespace

MixtureAscent::MixtureAscent(const std::vector<ZHistogram::Bin>& bins,
                             const MixtureOptions& options)
    : bins_(bins),
      noise_(square(options.null_sd)),
      shares_(static_cast<std::size_t>(options.atoms)),
      slopes_(shares_.size()),
      levels_(shares_.size()),
      steps_(shares_.size()),
      counts_(shares_.size()),
      sums_(shares_.size()),
      log_v_(shares_.size()),
      log_rest_(shares_.size()),
      alpha_(shares_.size()),
      beta_(shares_.size()) {
  fit_.null_sd = options.null_sd;
  fit_.atoms.resize(shares_.size());
  features_ = 0;
  squares_ = 0;
  for (const auto& bin : bins_) {
    features_ += static_cast<double>(bin.features);
    squares_ += static_cast<double>(bin.features) * square(bin.z);
  }
  fit_.slab_variance = std::max(1.0, 4 * squares_ / features_);
}

void MixtureAscent::start(const std::vector<double>& points, double weight) {
  for (std::size_t t = 0; t < fit_.atoms.size(); ++t) {
    fit_.atoms[t] = {.log_weight = t == 0              ? 0
                                   : t < points.size() ? std::log(weight)
                                                       : -1000,
                     .slab = 1,
                     .mean = t < points.size() ? points[t] : 0,
                     .variance = 0};
  }
  share_out();
}

double MixtureAscent::pass() {
  order_by_size();
  update_atoms();
  update_sticks();
  update_hyperparameters();
  const double fit_of_features = share_out();
  fit_.bound = fit_of_features + sticks_bound() + atoms_bound() + hyper_bound();
  ++fit_.passes;
  return fit_.bound;
}

/// phi_jt, and with them N_t and S_t. Returns what the bound has of the features: the expected
/// log likelihood and log weights plus the entropy of the shares.
///
/// An atom's unnormalised share is exp(level + slope z), so that from one grid point to the next
/// it changes by a constant factor: exponentials are taken at every kAnchor-th point alone, which
/// costs some kAnchor rounding errors and saves most of the time.
double MixtureAscent::share_out() {
  constexpr int kAnchor = 32;
  const std::size_t atoms = shares_.size();
  for (std::size_t t = 0; t < atoms; ++t) {
    const Atom& atom = fit_.atoms[t];
    slopes_[t] = atom.slab * atom.mean / noise_;
    levels_[t] = atom.log_weight - 0.5 * atom.slab * (square(atom.mean) + atom.variance) / noise_;
    steps_[t] = std::exp(slopes_[t] * ZHistogram::kStep);
  }
  std::fill(counts_.begin(), counts_.end(), 0.0);
  std::fill(sums_.begin(), sums_.end(), 0.0);
  double total = 0;
  double scale = 0;  // logarithm of what the shares were divided by
  int since_anchor = kAnchor;
  double last = 0;
  for (const auto& bin : bins_) {
    // Differences of grid points are exact.
    if (since_anchor == kAnchor || bin.z - last != ZHistogram::kStep) {
      scale = -1e300;
      for (std::size_t t = 0; t < atoms; ++t) {
        shares_[t] = levels_[t] + slopes_[t] * bin.z;
        scale = std::max(scale, shares_[t]);
      }
      for (std::size_t t = 0; t < atoms; ++t) shares_[t] = std::exp(shares_[t] - scale);
      since_anchor = 0;
    } else {
      for (std::size_t t = 0; t < atoms; ++t) shares_[t] *= steps_[t];
    }
    ++since_anchor;
    last = bin.z;
    double sum = 0;
    for (std::size_t t = 0; t < atoms; ++t) sum += shares_[t];
    const double features = static_cast<double>(bin.features);
    total += features * (scale + std::log(sum));
    const double factor = features / sum;
    for (std::size_t t = 0; t < atoms; ++t) {
      const double count = factor * shares_[t];
      counts_[t] += count;
      sums_[t] += count * bin.z;
    }
  }
  for (std::size_t t = 0; t < atoms; ++t) fit_.atoms[t].features = counts_[t];
  return total - 0.5 * squares_ / noise_ -
         0.5 * features_ * std::log(2 * std::numbers::pi * noise_);
}

/// Sticks break off the largest pieces first. With its sticks updated afterwards, the bound is
/// never lower for it: swapping two neighbours before the last place changes it by
/// log(a + N_later + rest) of the smaller against the larger. The last place has no stick of its
/// own and stays.
void MixtureAscent::order_by_size() {
  std::vector<std::size_t> order(shares_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end() - 1,
                   [&](std::size_t a, std::size_t b) { return counts_[a] > counts_[b]; });
  const auto arrange = [&](auto& values) {
    auto old = values;
    for (std::size_t t = 0; t < order.size(); ++t) values[t] = old[order[t]];
  };
  arrange(counts_);
  arrange(sums_);
  arrange(fit_.atoms);
}

void MixtureAscent::update_atoms() {
  for (std::size_t t = 0; t < shares_.size(); ++t) {
    Atom& atom = fit_.atoms[t];
    atom.variance = 1 / (1 / fit_.slab_variance + counts_[t] / noise_);
    atom.mean = atom.variance * sums_[t] / noise_;
    const double log_odds = std::log((1 - fit_.zero_mass) / fit_.zero_mass) +
                            0.5 * std::log(atom.variance / fit_.slab_variance) +
                            0.5 * square(atom.mean) / atom.variance;
    atom.slab = 1 / (1 + std::exp(-log_odds));
  }
}

void MixtureAscent::update_sticks() {
  double later = 0;
  for (std::size_t t = shares_.size(); t-- > 0;) {
    alpha_[t] = 1 + counts_[t];
    beta_[t] = fit_.concentration + later;
    later += counts_[t];
  }
  double rest = 0;
  for (std::size_t t = 0; t < shares_.size(); ++t) {
    const bool last = t + 1 == shares_.size();  // takes all that is left: v = 1
    const double both = digamma(alpha_[t] + beta_[t]);
    log_v_[t] = last ? 0 : digamma(alpha_[t]) - both;
    log_rest_[t] = last ? 0 : digamma(beta_[t]) - both;
    fit_.atoms[t].log_weight = log_v_[t] + rest;
    rest += log_rest_[t];
  }
}

/// Each is where the derivative of the bound vanishes; in each one variable the bound has one
/// maximum, so that where it lies outside the limits the nearest limit is best.
void MixtureAscent::update_hyperparameters() {
  double zeros = 0;
  double squares = 0;
  double slabs = 0;
  for (const Atom& atom : fit_.atoms) {
    zeros += 1 - atom.slab;
    slabs += atom.slab;
    squares += atom.slab * (square(atom.mean) + atom.variance);
  }
  const double count = static_cast<double>(shares_.size());
  fit_.zero_mass = (zeros + kZeroPrior - 1) / (count + 2 * (kZeroPrior - 1));
  fit_.slab_variance = (squares + kSlabPrior * kSlabSquare) / (slabs + kSlabPrior);
  const double rest = std::accumulate(log_rest_.begin(), log_rest_.end() - 1, 0.0);
  fit_.concentration =
      std::clamp((count - 1 + kConcentrationShape - 1) / (kConcentrationRate - rest), 1e-3, 1e3);
}

/// log p of zero_mass, slab_variance and concentration, up to a constant.
double MixtureAscent::hyper_bound() const {
  return (kZeroPrior - 1) * std::log(fit_.zero_mass * (1 - fit_.zero_mass)) -
         0.5 * kSlabPrior * (std::log(fit_.slab_variance) + kSlabSquare / fit_.slab_variance) +
         (kConcentrationShape - 1) * std::log(fit_.concentration) -
         kConcentrationRate * fit_.concentration;
}

/// E log p(v) - E log q(v).
double MixtureAscent::sticks_bound() const {
  double sum = 0;
  const double a = fit_.concentration;
  for (std::size_t t = 0; t + 1 < shares_.size(); ++t) {
    sum += std::log(a) + (a - 1) * log_rest_[t] + log_beta(alpha_[t], beta_[t]) -
           (alpha_[t] - 1) * log_v_[t] - (beta_[t] - 1) * log_rest_[t];
  }
  return sum;
}

/// E log p(theta) - E log q(theta).
double MixtureAscent::atoms_bound() const {
  double sum = 0;
  for (const Atom& atom : fit_.atoms) {
    const double p = atom.slab;
    if (p > 0) {
      sum += p * (std::log((1 - fit_.zero_mass) / p) +
                  0.5 * (1 + std::log(atom.variance / fit_.slab_variance) -
                         (square(atom.mean) + atom.variance) / fit_.slab_variance));
    }
    if (p < 1) sum += (1 - p) * std::log(fit_.zero_mass / (1 - p));
  }
  return sum;
}

}  // namespace limber::screen
