#pragma once

#include <vector>

#include "limber/companions/screen/mixture.h"
#include "limber/companions/screen/z_histogram.h"

namespace limber::screen {

/// Coordinate ascent on the mixture's evidence bound from one start. The state between passes is
/// how much of the features, and of their z, each atom has: N_t and S_t of the model, the only sums
/// over features there are. `bins` must outlive it.
class MixtureAscent {
 public:
  MixtureAscent(const std::vector<ZHistogram::Bin>& bins, const MixtureOptions& options);

  /// Atoms begin as points; the first one is zero, the others weigh `weight` against its one.
  /// Places without a point begin empty.
  void start(const std::vector<double>& points, double weight);

  /// One pass over all blocks; returns the bound, which is never lower than before.
  double pass();

  Mixture& fit() { return fit_; }

 private:
  double share_out();
  void order_by_size();
  void update_atoms();
  void update_sticks();
  void update_hyperparameters();
  double hyper_bound() const;
  double sticks_bound() const;
  double atoms_bound() const;

  const std::vector<ZHistogram::Bin>& bins_;
  double noise_, features_, squares_;
  Mixture fit_;
  std::vector<double> shares_, slopes_, levels_, steps_, counts_, sums_, log_v_, log_rest_, alpha_,
      beta_;
};

}  // namespace limber::screen
