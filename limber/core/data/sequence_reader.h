#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limber/core/data/dataset.h"

namespace limber {

/// Values of a sequence feature: what a member's earlier interactions hold of another id feature.
class SequenceReader {
 public:
  /// `feature`: index of a feature of kind sequence. The data set must outlive the reader.
  SequenceReader(const Dataset& dataset, std::size_t feature);

  /// Adds to `indices` the table rows of the latest values before interaction `row` of the same
  /// member, oldest first, at most `length` interactions back; unknown values are left out.
  void append(std::int64_t row, std::vector<std::int32_t>& indices) const;

 private:
  const Dataset& dataset_;
  std::span<const std::int32_t> indices_;    ///< of the feature that the sequence is made of
  std::span<const std::int32_t> side_rows_;  ///< where that stands in a side table
  std::int64_t length_;
};

}  // namespace limber
