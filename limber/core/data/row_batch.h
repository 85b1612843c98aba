#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limber/core/data/dataset.h"

namespace limber {

/// Values of one feature for the unique rows of its source in a batch.
struct FeatureBatch {
  std::vector<float> numbers;         ///< [unique rows], NaN = missing
  std::vector<std::int64_t> indices;  ///< into RowBatch::table_rows of its table
  std::vector<std::int64_t> offsets;  ///< ids, sequence: [unique rows + 1] into `indices`
};

/// The rows of one source that a batch needs, each once.
struct SourceBatch {
  std::int64_t rows = 0;
  /// [batch rows]: which of them each batch row uses; empty when batch row i uses row i.
  std::vector<std::int64_t> positions;
  std::vector<FeatureBatch> features;  ///< by InputLayout feature; empty for other sources'
};

/// Interactions ready for the model. Rows of side tables and of embedding tables that several
/// interactions share appear once, so that what depends on an item alone is computed once.
struct RowBatch {
  std::int64_t rows = 0;
  std::vector<SourceBatch> sources;                   ///< by InputLayout source
  std::vector<std::vector<std::int64_t>> table_rows;  ///< by embedding table: the rows in use
  std::vector<float> labels;                          ///< [rows, labels]
  std::vector<float> weights;                         ///< [rows]; empty: each counts once
  std::vector<std::int64_t> dataset_rows;             ///< [rows]: where they come from

  float weight(std::int64_t row) const {
    return weights.empty() ? 1.0F : weights[static_cast<std::size_t>(row)];
  }
};

/// Gathers batches from a data set. Keeps scratch space; one per thread.
class BatchMaker {
 public:
  explicit BatchMaker(const Dataset& dataset);

  /// `rows`: rows of the data set, in any order, repeats allowed.
  void gather(std::span<const std::int64_t> rows, RowBatch& batch);

 private:
  /// Numbers things by first appearance, forgetting all in O(1).
  class Numbering {
   public:
    explicit Numbering(std::int64_t size) : stamps_(static_cast<std::size_t>(size), 0) {
      numbers_.resize(stamps_.size());
    }
    void restart() { ++stamp_; }
    /// The number of `value`, appended to `values` when it is new.
    std::int64_t number(std::int64_t value, std::vector<std::int64_t>& values) {
      const auto at = static_cast<std::size_t>(value);
      if (stamps_[at] != stamp_) {
        stamps_[at] = stamp_;
        numbers_[at] = static_cast<std::int32_t>(values.size());
        values.push_back(value);
      }
      return numbers_[at];
    }

   private:
    std::vector<std::uint32_t> stamps_;
    std::vector<std::int32_t> numbers_;
    std::uint32_t stamp_ = 0;
  };

  void gather_feature(const DataSource& source, std::size_t column,
                      std::span<const std::int64_t> rows, RowBatch& batch, FeatureBatch& out);
  void gather_sequence(std::size_t feature, std::span<const std::int64_t> rows, RowBatch& batch,
                       FeatureBatch& out);

  const Dataset& dataset_;
  std::vector<Numbering> sources_;  ///< side tables
  std::vector<Numbering> tables_;
  std::vector<std::int64_t> unique_;
  std::vector<std::int32_t> sequence_;
};

}  // namespace limber
