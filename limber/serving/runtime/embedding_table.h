#pragma once

#include <cstddef>
#include <cstdint>

#include "limber/core/artifact/row_codec.h"
#include "limber/core/data/encoder.h"

namespace limber {

/// An embedding table as the artifact stores it, read in place: rows of floats, of halves, or of
/// int8 with a scale and a middle each (row_codec.h).
class EmbeddingTable {
 public:
  /// Takes tensor tables.NAME and, where that is int8, tables.NAME.scale and tables.NAME.middle.
  /// The artifact must outlive the table. Throws InputError for tensors of another shape or type.
  EmbeddingTable(const Artifact& artifact, const EmbeddingTableShape& shape);

  std::int64_t rows() const { return rows_; }
  std::int64_t dim() const { return dim_; }
  RowType type() const { return stored_.type; }

  /// Row `index`; `room` [dim] is where a row that is not of floats is expanded.
  const float* row(std::int32_t index, float* room) const;
  /// Asks for row `index` to be brought near.
  void prefetch(std::int32_t index) const { __builtin_prefetch(bytes_ + index * row_bytes_); }

 private:
  std::int64_t rows_, dim_;
  StoredTable stored_;
  const std::byte* bytes_ = nullptr;  ///< the numbers, whatever their type
  std::int64_t row_bytes_ = 0;
};

}  // namespace limber
