#include "limber/companions/screen/mixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "limber/companions/screen/normal_means.h"
#include "limber/companions/screen/special_functions.h"
#include "limber/core/base/random.h"

namespace limber::screen {
namespace {

ZHistogram histogram_of(std::span<const double> z) {
  ZHistogram histogram;
  for (const double value : z) histogram.add(value);
  return histogram;
}

TEST(Mixture, EvidenceBoundNeverDecreases) {
  Random random(7);
  for (int draw = 0; draw < 40; ++draw) {
    const auto p = static_cast<std::size_t>(1 + random.below(draw % 4 == 0 ? 5 : 3000));
    const double sd = 0.3 + 3 * random.uniform();
    std::vector<double> z;
    for (std::size_t j = 0; j < p; ++j) {
      z.push_back(sd * random.normal() + (random.below(10) == 0 ? 8 * random.uniform() : 0));
    }
    MixtureOptions options;
    options.atoms = static_cast<int>(2 + random.below(25));
    options.null_sd = draw % 3 == 0 ? 1.4 : 1;
    options.max_passes = 400;
    std::vector<double> bounds;
    const Mixture mixture = fit_mixture(histogram_of(z), options, &bounds);
    ASSERT_GE(bounds.size(), 2U);
    EXPECT_EQ(bounds.back(), mixture.bound);
    for (std::size_t i = 1; i < bounds.size(); ++i) {
      EXPECT_GE(bounds[i], bounds[i - 1] - 1e-10 * std::abs(bounds[i - 1]))
          << "draw " << draw << ", pass " << i;
    }
  }
}

/// The evidence itself, by brute force, where it can be had: two atoms and few features. The bound
/// must lie below it, and with well separated data not far.
TEST(Mixture, BoundLiesBelowTheEvidence) {
  const std::vector<double> z{-0.5, 0.25, 0.0, 5.0, 5.5, -0.25};
  MixtureOptions options;
  options.atoms = 2;
  const Mixture fit = fit_mixture(histogram_of(z), options);
  // Sum over all assignments; v and the atoms integrate in closed form.
  double largest = -1e300;
  std::vector<double> terms;
  for (unsigned assignment = 0; assignment < (1U << z.size()); ++assignment) {
    double count[2] = {0, 0};
    double sum[2] = {0, 0};
    double log_p = 0;
    for (std::size_t j = 0; j < z.size(); ++j) {
      const unsigned t = (assignment >> j) & 1U;
      count[t] += 1;
      sum[t] += z[j];
      log_p -= 0.5 * z[j] * z[j] + 0.5 * std::log(2 * std::numbers::pi);
    }
    const double a = fit.concentration;
    log_p += std::log(a) + log_gamma(1 + count[0]) + log_gamma(a + count[1]) -
             log_gamma(1 + a + count[0] + count[1]);
    for (int t = 0; t < 2; ++t) {
      const double variance = 1 / (1 / fit.slab_variance + count[t]);
      const double slab =
          std::sqrt(variance / fit.slab_variance) * std::exp(0.5 * variance * sum[t] * sum[t]);
      log_p += std::log(fit.zero_mass + (1 - fit.zero_mass) * slab);
    }
    // The fit's bound counts the hyper-priors' densities, the same for every assignment.
    log_p += std::log(fit.zero_mass * (1 - fit.zero_mass)) -
             0.5 * (std::log(fit.slab_variance) + 9 / fit.slab_variance) +
             14 * std::log(fit.concentration) - fit.concentration;
    terms.push_back(log_p);
    largest = std::max(largest, log_p);
  }
  double evidence = 0;
  for (const double term : terms) evidence += std::exp(term - largest);
  evidence = largest + std::log(evidence);
  EXPECT_LE(fit.bound, evidence + 1e-9);
  EXPECT_GT(fit.bound, evidence - 3);
}

/// The same ascent feature by feature, without a grid, anchors or sorting by size, from the fitted
/// point: one full update must leave it where it is.
TEST(Mixture, IsAFixedPointOfTheUpdatesWrittenOutPlainly) {
  const NormalMeans drawn = draw_normal_means(Signal::kTwoSided, 4000, 0.1, 3);
  std::vector<double> z;
  for (const double value : drawn.z) z.push_back(std::round(value * 64) / 64);
  MixtureOptions options;
  options.atoms = 6;
  options.tolerance = 0;
  options.max_passes = 20000;
  const Mixture fit = fit_mixture(histogram_of(z), options);
  const std::size_t atoms = fit.atoms.size();
  std::vector<double> counts(atoms, 0.0);
  std::vector<double> sums(atoms, 0.0);
  for (const double value : z) {
    std::vector<double> share;
    double total = 0;
    for (const Atom& atom : fit.atoms) {
      share.push_back(std::exp(atom.log_weight + value * atom.slab * atom.mean -
                               0.5 * atom.slab * (atom.mean * atom.mean + atom.variance)));
      total += share.back();
    }
    for (std::size_t t = 0; t < atoms; ++t) {
      counts[t] += share[t] / total;
      sums[t] += value * share[t] / total;
    }
  }
  double rest_of_log = 0;
  for (std::size_t t = 0; t < atoms; ++t) {
    const Atom& atom = fit.atoms[t];
    EXPECT_NEAR(counts[t], atom.features, 1e-7 * z.size());
    const double variance = 1 / (1 / fit.slab_variance + counts[t]);
    const double log_odds = std::log((1 - fit.zero_mass) / fit.zero_mass) +
                            0.5 * std::log(variance / fit.slab_variance) +
                            0.5 * variance * sums[t] * sums[t];
    EXPECT_NEAR(atom.slab, 1 / (1 + std::exp(-log_odds)), 1e-3) << t;
    EXPECT_NEAR(atom.slab * atom.mean, atom.slab * variance * sums[t], 1e-3) << t;
    const double later =
        std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(t) + 1, counts.end(), 0.0);
    const double alpha = 1 + counts[t];
    const double beta = fit.concentration + later;
    const bool last = t + 1 == atoms;
    const double log_v = last ? 0 : digamma(alpha) - digamma(alpha + beta);
    EXPECT_NEAR(atom.log_weight, log_v + rest_of_log, 0.02) << t;
    rest_of_log += last ? 0 : digamma(beta) - digamma(alpha + beta);
  }
}

/// A pass that raises the bound by 5e-8 of it may leave nats behind where features are many.
TEST(Mixture, EndsWhenBothTolerancesAreMet) {
  const NormalMeans drawn = draw_normal_means(Signal::kTwoSided, 100000, 0.05, 7);
  const ZHistogram histogram = histogram_of(drawn.z);
  const auto last_gain = [&](double share, double nats, Mixture* fit = nullptr) {
    MixtureOptions options;
    options.tolerance = share;
    options.absolute_tolerance = nats;
    std::vector<double> bounds;
    const Mixture mixture = fit_mixture(histogram, options, &bounds);
    EXPECT_TRUE(mixture.converged);
    if (fit) *fit = mixture;
    return bounds.back() - bounds[bounds.size() - 2];
  };
  Mixture loose, strict;
  const double gain = last_gain(1e-6, 1e9, &loose);
  EXPECT_LE(gain, 1e-6 * std::abs(loose.bound));
  EXPECT_GT(gain, 1e-3);
  EXPECT_LE(last_gain(1e-6, 1e-3, &strict), 1e-3);
  EXPECT_GT(strict.passes, loose.passes);
  EXPECT_GT(strict.bound, loose.bound);
  EXPECT_LE(last_gain(1e-9, 1e9), 1e-9 * std::abs(strict.bound));
}

TEST(Mixture, SaysWhenItStopsAtItsLastPass) {
  const NormalMeans drawn = draw_normal_means(Signal::kTwoSided, 5000, 0.1, 4);
  MixtureOptions options;
  options.max_passes = 4;
  const Mixture fit = fit_mixture(histogram_of(drawn.z), options);
  EXPECT_FALSE(fit.converged);
  EXPECT_EQ(fit.passes, 4);
  EXPECT_TRUE(fit_mixture(histogram_of(drawn.z), {}).converged);
}

TEST(Mixture, RecoversPlantedMixtures) {
  struct Planted {
    double share, theta;
  };
  // Shares of the features that are at theta; the rest is zero.
  const std::vector<std::vector<Planted>> cases{
      {{0.05, 4}}, {{0.1, 5}, {0.05, -4}}, {{0.02, 8}, {0.2, -5}}};
  Random random(11);
  for (const auto& planted : cases) {
    constexpr int kFeatures = 20000;
    std::vector<double> z;
    std::vector<char> nonzero;
    double null_share = 1;
    for (const Planted& group : planted) {
      null_share -= group.share;
      for (int j = 0; j < kFeatures * group.share; ++j) {
        z.push_back(group.theta + random.normal());
        nonzero.push_back(1);
      }
    }
    while (z.size() < kFeatures) {
      z.push_back(random.normal());
      nonzero.push_back(0);
    }
    const Mixture fit = fit_mixture(histogram_of(z), {});
    EXPECT_NEAR(fit.null_share(), null_share, 0.02);
    for (const Planted& group : planted) {
      // The features that atoms near theta have.
      double share = 0;
      double mean = 0;
      for (const Atom& atom : fit.atoms) {
        if (std::abs(atom.mean - group.theta) > 1.5 || atom.slab < 0.5) continue;
        share += atom.features / kFeatures;
        mean += atom.features / kFeatures * atom.mean;
      }
      EXPECT_NEAR(share, group.share, 0.25 * group.share + 0.005) << group.theta;
      EXPECT_NEAR(mean / share, group.theta, 0.2) << group.theta;
    }
    // Posterior probabilities mean what they say: of features called zero with probability p, a
    // share p is.
    double called = 0;
    double truly = 0;
    for (std::size_t j = 0; j < z.size(); ++j) {
      const Posterior posterior = fit.posterior(z[j]);
      EXPECT_NEAR(posterior.zero + posterior.nonzero, 1, 1e-12);
      if (posterior.zero > 0.5) continue;
      called += posterior.zero;
      truly += nonzero[j] ? 0 : 1;
    }
    EXPECT_NEAR(called / kFeatures, truly / kFeatures, 0.005);
  }
}

TEST(Mixture, NoiseAloneIsAllZero) {
  const NormalMeans drawn = draw_normal_means(Signal::kPoint, 50000, 0, 5);
  const Mixture fit = fit_mixture(histogram_of(drawn.z), {});
  EXPECT_GT(fit.null_share(), 0.98);
  EXPECT_LT(squared_error(mixture_means(drawn.z), drawn.theta), 0.003);
}

TEST(Mixture, DensityIntegratesToOneAndHoldsTheNullPart) {
  const NormalMeans drawn = draw_normal_means(Signal::kNormal, 3000, 0.2, 9);
  MixtureOptions options;
  options.null_sd = 1.3;
  const Mixture fit = fit_mixture(histogram_of(drawn.z), options);
  double sum = 0;
  double null = 0;
  for (double z = -60; z < 60; z += 0.01) {
    sum += 0.01 * fit.density(z);
    null += 0.01 * fit.null_density(z);
    EXPECT_LE(fit.null_density(z), fit.density(z) + 1e-12);
  }
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_NEAR(null, fit.null_share(), 1e-6);
}

TEST(Mixture, PosteriorGoesNowhereForExtremeValues) {
  const NormalMeans drawn = draw_normal_means(Signal::kPoint, 1000, 0.05, 2);
  const Mixture fit = fit_mixture(histogram_of(drawn.z), {});
  for (const double z : {-1e6, -300.0, 0.0, 300.0, 1e6}) {
    const Posterior posterior = fit.posterior(z);
    EXPECT_TRUE(std::isfinite(posterior.effect)) << z;
    EXPECT_GE(posterior.zero, 0);
    EXPECT_LE(posterior.zero, 1);
  }
}

}  // namespace
}  // namespace limber::screen
