#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limber/core/data/dataset.h"
#include "limber/core/data/sequence_reader.h"
#include "limber/serving/runtime/feature_rows.h"

namespace limber {

/// Rows of an encoded data set in the form that the runtime reads; nothing but row numbers is
/// copied. Keeps scratch space; one per thread.
class DatasetRows {
 public:
  /// The data set must outlive this object.
  explicit DatasetRows(const Dataset& dataset);

  /// The given interactions. Good until the next call; `rows` must live as long.
  const RowSet& gather(std::span<const std::int64_t> rows);

  /// Labels [rows, labels] and, where the data has them, weights [rows] of the last gather().
  const float* labels() const { return labels_.data(); }
  const float* weights() const { return weights_.empty() ? nullptr : weights_.data(); }

 private:
  const Dataset& dataset_;
  std::vector<SourceRows> sources_;
  std::vector<SequenceReader> readers_;            ///< by sequence feature, in the layout's order
  std::vector<std::size_t> sequences_;             ///< which features those are
  std::vector<std::vector<std::int64_t>> chosen_;  ///< by side table
  std::vector<std::vector<std::int64_t>> offsets_;
  std::vector<std::vector<std::int32_t>> indices_;
  std::vector<float> labels_, weights_;
  RowSet set_;
};

}  // namespace limber
