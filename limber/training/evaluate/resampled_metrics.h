#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "limber/training/evaluate/auc.h"
#include "limber/training/evaluate/gauc.h"
#include "limber/training/evaluate/group_index.h"
#include "limber/training/evaluate/ranking_metrics.h"

namespace limber {

/// All metrics of one set of predictions in which each group counts a given number of times,
/// without copying a row. Log loss, normalised entropy, calibration, GAUC and NDCG are sums over
/// groups, kept once for each group; AUC walks the rows, sorted once. One evaluation is O(rows)
/// with a small constant. The bins of the calibration error stay those of the rows as they are.
class ResampledMetrics {
 public:
  /// Where predictions.groups is empty each row is a group of its own, and GAUC and NDCG are NaN.
  /// Throws as check_predictions.
  ResampledMetrics(const Predictions& predictions, const MetricOptions& options);

  /// How many groups: the length of a multiplicity.
  std::size_t groups() const { return sums_.size(); }
  /// multiplicity[g]: how often group g (by ascending id) counts, 0 or more.
  MetricValues evaluate(std::span<const float> multiplicity) const;

 private:
  struct Sums {
    double weight = 0;
    double loss = 0;
    double predicted = 0;
    double observed = 0;
  };
  struct BinShare {  // what one group adds to one bin
    std::uint32_t bin;
    double excess;  // sum of weight * (probability - label)
  };

  bool grouped_;
  SortedRows sorted_;
  std::vector<Sums> sums_;
  std::vector<GroupAuc> aucs_;
  std::vector<double> ndcgs_;
  std::size_t bins_ = 0;
  std::vector<BinShare> shares_;            // by group
  std::vector<std::size_t> share_offsets_;  // groups() + 1
};

}  // namespace limber
