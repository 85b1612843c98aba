#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/data/task_batch.h"

namespace limber {

/// What a member's support rows say, as plain numbers that any learner can use: the simplest
/// personalisation there is, for rivals that know no episodes.
class SupportStatistics {
 public:
  /// Means are divided by (rows + shrinkage), so that few rows say little.
  static constexpr double shrinkage = 5;

  /// Counts labels by value of the id feature `item` over the training rows. Throws InputError
  /// where `item` is no id feature.
  SupportStatistics(const Dataset& dataset, const std::string& item);

  /// The id feature with the most values, other than the task's own column; throws InputError
  /// where there is none.
  static std::string guess_item(const Dataset& dataset, const std::string& task_column);

  /// For one task of a batch and one label.
  struct Values {
    double mean = 0;      ///< sum (label - base rate) / (rows + shrinkage)
    double residual = 0;  ///< sum (label - rate of the row's item) / (rows + shrinkage)
  };
  /// [tasks, labels]. An item's rate is that of the other training rows: a support row that is a
  /// training row itself is taken out, as its label would speak of itself.
  std::vector<Values> of(const TaskBatch& batch) const;

 private:
  struct Count {
    double ones = 0, rows = 0;
  };
  std::int32_t item_of(const RowBatch& rows, std::int64_t row) const;

  const Dataset& dataset_;
  std::size_t labels_, feature_ = 0;
  std::vector<double> base_rates_;
  std::vector<Count> counts_;  ///< [items, labels]
};

}  // namespace limber
