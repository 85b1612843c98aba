#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limber/companions/screen/estimate.h"
#include "limber/companions/screen/linear_rule.h"
#include "limber/companions/screen/sample_matrix.h"
#include "limber/companions/screen/shrunken_correlation.h"

namespace limber::screen {

/// One way to use the shrunken differences: how many features, and how far their correlation is
/// shrunken towards independence.
struct Candidate {
  static constexpr std::int64_t kAll = 0;
  static constexpr std::int64_t kFdr = -1;

  std::int64_t features =
      kFdr;          ///< the best so many; or kAll, or those at the false-discovery rate
  double share = 1;  ///< of the identity in the correlation; 1 = independence rule
};

struct FitOptions {
  EstimateOptions estimate;
  Priors priors;
  RuleKind many_classes = RuleKind::kJoint;  ///< for more than two
  double fdr = 0.05;
  /// The candidates that tuning chooses among: all pairs.
  std::vector<std::int64_t> sizes{10, 20, 50, 100, 200, 500, 1000, 2000, Candidate::kAll};
  std::vector<double> shares{1, 0.5, 0.2, 0.1, 0.03};
  /// Keep only the candidate with the fewest errors instead of the mean of all that are near it.
  bool single = false;

  std::vector<Candidate> candidates() const;
};

inline RuleKind rule_kind(const FitOptions& options, const Classes& classes) {
  return classes.count() == 2 ? RuleKind::kTwoClasses : options.many_classes;
}

/// Everything learned from some of a matrix's samples: records, estimate and ranking of features.
class FoldFit {
 public:
  /// `classes` is by sample of the matrix, `training` the samples to learn from. Throws InputError
  /// when they lack a class.
  FoldFit(const SampleMatrix& matrix, const Classes& classes, std::vector<int> training,
          const FitOptions& options);

  /// Scores of samples `others` under each candidate, [candidates][others, directions].
  std::vector<std::vector<double>> scores(std::span<const Candidate> candidates,
                                          std::span<const int> others) const;

  /// The weights of a mean of candidates, each divided by its `divisors` entry.
  struct Weights {
    std::vector<std::int64_t> features;  ///< with a weight, in rank order
    std::vector<double> weights;         ///< [features, directions], of u
    std::vector<double> intercepts;      ///< [directions]
  };
  Weights weights(std::span<const Candidate> candidates, std::span<const double> divisors) const;

  const Estimate& estimate() const { return estimate_; }
  Record record(std::int64_t feature) const;
  /// Features selected at the false-discovery rate, in rank order.
  const std::vector<std::int64_t>& selected() const { return selected_; }
  RuleKind kind() const { return kind_; }
  std::size_t directions() const { return intercepts_.size(); }

 private:
  std::int64_t size_of(const Candidate& candidate) const;
  /// Adds features in order; calls `snapshot(size)` when the first `size` are in.
  template <class Snapshot>
  void accumulate(const std::vector<std::int64_t>& order, std::vector<std::int64_t> sizes,
                  std::span<const int> others, CrossProducts& products, Snapshot&& snapshot) const;
  void residuals(std::int64_t feature, double scale, std::span<double> result) const;

  const SampleMatrix& matrix_;
  const Classes& classes_;
  std::vector<int> training_;
  RuleKind kind_;
  std::vector<double> records_;
  Estimate estimate_;
  std::vector<double> intercepts_;
  double degrees_ = 1;
  std::vector<std::int64_t> ranked_, selected_;
};

}  // namespace limber::screen
