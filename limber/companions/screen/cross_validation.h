#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/companions/screen/tuning.h"

namespace limber::screen {

/// Which fold each sample is held out in, [repeats][samples].
using Folds = std::vector<std::vector<int>>;

struct ValidationOptions {
  FitOptions fit;
  Transform transform;  ///< its unit is fitted anew in every fold
  int tune_folds = 5;   ///< 0 = no tuning: `candidate`
  Candidate candidate;
  std::uint64_t seed = 1;
  int threads = 1;
};

struct Validation {
  std::vector<std::vector<int>> predicted;  ///< [repeats][samples], class
  /// [repeats][samples, classes]
  std::vector<std::vector<double>> probability;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [truth][predicted], over all repeats
  double error = 0;
  double low = 0, high = 0;  ///< Wilson's 95% interval of the error
  double log_loss = 0;       ///< nats
};

/// Fits on all folds but one and predicts that one, in turn. Everything, the transform's unit, the
/// ranking of features and the tuning, is learned inside the folds. `threads` share out the folds;
/// the result does not depend on them.
Validation cross_validate(FeatureSource& source, const Classes& classes, const Folds& folds,
                          const ValidationOptions& options);

/// Each sample a fold of its own.
std::vector<int> leave_one_out(std::size_t samples);

/// Wilson's 95% interval of a share of `samples` (Wilson 1927); never a point, also where nothing
/// was wrong. `wrong` may be a mean over repeats.
std::pair<double, double> wilson_interval(double wrong, double samples);

}  // namespace limber::screen
