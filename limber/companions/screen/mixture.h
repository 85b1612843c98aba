#pragma once

#include <cstdint>
#include <vector>

#include "limber/companions/screen/z_histogram.h"

namespace limber::screen {

/// What the model says of a feature whose normalised mean difference is z.
struct Posterior {
  double effect = 0;   ///< posterior mean of theta: the shrunken difference
  double zero = 1;     ///< posterior probability that theta is zero
  double nonzero = 0;  ///< 1 - zero, exact where zero is near 1
};

/// One atom of the mixture under its variational posterior, which is
/// q(theta_t) = slab N(mean, variance) + (1 - slab) delta_0.
struct Atom {
  double log_weight = 0;  ///< E log of the stick-breaking weight
  double slab = 0;        ///< probability that the atom is not zero
  double mean = 0;        ///< of the slab
  double variance = 0;    ///< of the slab
  double features = 0;    ///< expected number of features at this atom
};

/// The fitted empirical-Bayes mixture (arXiv 1702.05056; updates derived in docs/screen.md):
///
///     z_j ~ N(theta_j, null_sd^2),  theta_j ~ G,
///     G ~ DP(concentration, zero_mass delta_0 + (1 - zero_mass) N(0, slab_variance)),
///     zero_mass ~ Beta(2, 2), log p(slab_variance) = -(log slab_variance + 9 / slab_variance) / 2,
///     concentration ~ Gamma(15, 1).
struct Mixture {
  std::vector<Atom> atoms;
  double null_sd = 1;
  double concentration = 1;
  double zero_mass = 0.5;
  double slab_variance = 1;
  double bound = 0;  ///< the evidence bound, in nats, with the hyper-priors' densities
  std::int64_t passes = 0;
  bool converged = false;  ///< false: the last pass allowed still raised the bound

  Posterior posterior(double z) const;
  /// Marginal density of z under the fitted mixture, weights normalised to one.
  double density(double z) const;
  /// The part of `density` that comes from features whose theta is zero.
  double null_density(double z) const;
  /// Expected share of features whose theta is zero.
  double null_share() const;
};

inline constexpr int kMostAtoms = 128;

struct MixtureOptions {
  int atoms = 20;         ///< truncation of the stick-breaking process; 2 to kMostAtoms
  int max_passes = 5000;  ///< over the histogram
  /// Ends when a pass raises the bound by no more than both: this share of the bound, and so many
  /// nats. The share alone lets millions of features stop whole nats below the top.
  double tolerance = 5e-8;
  double absolute_tolerance = 1e-4;
  double null_sd = 1;
};

/// Fits by coordinate ascent on the evidence bound, hyper-parameters included; every step maximises
/// the bound over one block exactly, so the bound never falls. Of two starts (zero with a few atoms
/// in the tails, and atoms spread over the range of z) the one with the higher bound at a coarse
/// tolerance goes on. `trace`, if given, receives the bound after every pass of the start that was
/// kept. `histogram` must not be empty.
Mixture fit_mixture(const ZHistogram& histogram, const MixtureOptions& options,
                    std::vector<double>* trace = nullptr);

}  // namespace limber::screen
