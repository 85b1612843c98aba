#include "limber/companions/screen/mixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "limber/companions/screen/mixture_ascent.h"

namespace limber::screen {
namespace {

double square(double x) {
  return x * x;
}

double normal_density(double x, double sd) {
  return std::exp(-0.5 * square(x / sd)) / (sd * std::sqrt(2 * std::numbers::pi));
}

/// The shares of one z among the atoms.
void responsibilities(const std::vector<Atom>& atoms, double noise_variance, double z,
                      double* share) {
  double largest = -1e300;
  for (std::size_t t = 0; t < atoms.size(); ++t) {
    const Atom& atom = atoms[t];
    const double first = atom.slab * atom.mean;
    const double second = atom.slab * (square(atom.mean) + atom.variance);
    share[t] = atom.log_weight + (z * first - 0.5 * second) / noise_variance;
    largest = std::max(largest, share[t]);
  }
  double sum = 0;
  for (std::size_t t = 0; t < atoms.size(); ++t) sum += share[t] = std::exp(share[t] - largest);
  for (std::size_t t = 0; t < atoms.size(); ++t) share[t] /= sum;
}

std::vector<double> spread_over_range(const std::vector<ZHistogram::Bin>& bins, int atoms) {
  std::vector<double> points(static_cast<std::size_t>(atoms), 0.0);
  const double low = bins.front().z;
  const double high = bins.back().z;
  for (int t = 1; t < atoms; ++t) {
    points[static_cast<std::size_t>(t)] = atoms == 2 ? (std::abs(low) > std::abs(high) ? low : high)
                                                     : low + (high - low) * (t - 1) / (atoms - 2);
  }
  return points;
}

/// Zero and two atoms in each tail: what few and weak signals need, which many atoms at once drown.
std::vector<double> tails(const std::vector<ZHistogram::Bin>& bins, int atoms) {
  const double low = std::min(bins.front().z, 0.0);
  const double high = std::max(bins.back().z, 0.0);
  std::vector<double> points{0, high - 1, low + 1, high / 1.5, low / 1.5};
  points.resize(std::min(points.size(), static_cast<std::size_t>(atoms)));
  return points;
}

}  // namespace

Posterior Mixture::posterior(double z) const {
  std::array<double, kMostAtoms> share;
  responsibilities(atoms, square(null_sd), z, share.data());
  Posterior result{.effect = 0, .zero = 0, .nonzero = 0};
  for (std::size_t t = 0; t < atoms.size(); ++t) {
    result.effect += share[t] * atoms[t].slab * atoms[t].mean;
    result.zero += share[t] * (1 - atoms[t].slab);
    result.nonzero += share[t] * atoms[t].slab;
  }
  return result;
}

double Mixture::null_density(double z) const {
  return null_share() * normal_density(z, null_sd);
}

double Mixture::density(double z) const {
  double all = 0;
  double sum = 0;
  for (const Atom& atom : atoms) {
    all += atom.features;
    sum +=
        atom.features *
        ((1 - atom.slab) * normal_density(z, null_sd) +
         atom.slab * normal_density(z - atom.mean, std::hypot(null_sd, std::sqrt(atom.variance))));
  }
  return sum / all;
}

double Mixture::null_share() const {
  double all = 0;
  double zero = 0;
  for (const Atom& atom : atoms) {
    all += atom.features;
    zero += atom.features * (1 - atom.slab);
  }
  return zero / all;
}

Mixture fit_mixture(const ZHistogram& histogram, const MixtureOptions& options,
                    std::vector<double>* trace) {
  // A coarse tolerance tells which start is the better one; only that goes on to the end.
  constexpr double kCoarse = 20;
  const std::vector<ZHistogram::Bin> bins = histogram.bins();
  struct Run {
    MixtureAscent ascent;
    std::vector<double> bounds;
  };
  const auto go_on = [&](Run& run, double coarseness) {
    auto& bounds = run.bounds;
    Mixture& fit = run.ascent.fit();
    fit.converged = false;
    while (static_cast<int>(bounds.size()) < options.max_passes && !fit.converged) {
      bounds.push_back(run.ascent.pass());
      const double gain =
          bounds.size() > 1 ? bounds.back() - bounds[bounds.size() - 2] : bounds.back();
      // A bound near zero has no share worth the name.
      const double share = options.tolerance * std::max(1.0, std::abs(bounds.back()));
      fit.converged =
          bounds.size() > 1 && gain <= coarseness * std::min(share, options.absolute_tolerance);
    }
  };
  std::vector<Run> runs;
  const auto begin = [&](const std::vector<double>& points, double weight) {
    runs.push_back({MixtureAscent(bins, options), {}});
    runs.back().ascent.start(points, weight);
    go_on(runs.back(), kCoarse);
  };
  begin(tails(bins, options.atoms), 1e-3);
  begin(spread_over_range(bins, options.atoms), 1);
  Run& best = runs[1].ascent.fit().bound > runs[0].ascent.fit().bound ? runs[1] : runs[0];
  go_on(best, 1);
  if (trace) *trace = best.bounds;
  return best.ascent.fit();
}

}  // namespace limber::screen
