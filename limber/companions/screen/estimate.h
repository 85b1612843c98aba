#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "limber/companions/screen/class_statistics.h"
#include "limber/companions/screen/mixture.h"
#include "limber/companions/screen/special_functions.h"
#include "limber/companions/screen/variance_prior.h"
#include "limber/companions/screen/z_histogram.h"

namespace limber::screen {

/// Records of many features in a few contiguous pieces, wherever they live.
struct RecordTable {
  std::vector<std::span<const double>> parts;  ///< each [features, width]
  std::size_t width = 0;

  std::int64_t features() const;
  int classes() const { return static_cast<int>(width / 2 - 1); }
};

struct EstimateOptions {
  MixtureOptions mixture;
  /// Take the spread of null z's from their bulk instead of 1; see empirical_null_sd.
  bool empirical_null = false;
  int threads = 1;
};

/// Everything that is estimated from all features together.
struct Estimate {
  VariancePrior prior;
  std::vector<Mixture> mixtures;       ///< [directions]
  std::vector<ZHistogram> histograms;  ///< [directions]
  std::int64_t features = 0, constant = 0, too_few = 0;

  std::int64_t usable() const { return features - constant - too_few; }
};

/// Two sums over the features: moments of their variances, then counts of their z's. Both are
/// integers, so the result has the same bits whatever the threads and the order of the parts.
/// Throws InputError beginning with `origin` when no feature can be used.
Estimate estimate(const RecordTable& table, const EstimateOptions& options,
                  const std::string& origin);

/// One feature seen from one direction.
struct DirectionScore {
  Difference difference;
  double z = 0;
  Posterior posterior;

  /// The shrunken difference of the means in units of the feature's scale: theta-hat / c.
  double shrunken() const { return posterior.effect / difference.scale; }
};

struct FeatureScore {
  bool usable = false;
  double scale = 0;  ///< moderated within-class standard deviation
  std::vector<DirectionScore> directions;

  /// Largest shrunken effect of any direction, in magnitude: what features are ranked by.
  double largest_effect() const;
  /// Probability that the feature is zero in all directions, bounded from above by its smallest
  /// single one.
  double zero() const;
};

/// Turns records into z's; knows the Student distributions of all degrees of freedom that occur.
class ZScorer {
 public:
  explicit ZScorer(const VariancePrior& prior) : prior_(prior) {}
  double scale(const Record& record) const;
  double z(const Record& record, const Difference& difference);

 private:
  VariancePrior prior_;
  std::vector<StudentScore> known_;  ///< by degrees of freedom of the record
};

/// Scores features under an estimate. One per thread.
class FeatureScorer {
 public:
  explicit FeatureScorer(const Estimate& estimate)
      : estimate_(estimate), z_scorer_(estimate.prior) {}
  void score(const Record& record, FeatureScore& score);

 private:
  const Estimate& estimate_;
  ZScorer z_scorer_;
};

}  // namespace limber::screen
