#pragma once

#include <cstdint>

#include "limber/core/artifact/artifact.h"
#include "limber/core/data/encoder.h"

namespace limber {

/// An embedding table as the artifact stores it, read in place: rows of floats, or rows of int8
/// with a scale and a middle each (LiRank, arXiv 2402.06859, section 5): x = middle + scale *
/// stored.
class EmbeddingTable {
 public:
  /// Takes tensor tables.NAME and, where that is int8, tables.NAME.scale and tables.NAME.middle.
  /// The artifact must outlive the table. Throws InputError for tensors of another shape.
  EmbeddingTable(const Artifact& artifact, const EmbeddingTableShape& shape);

  std::int64_t rows() const { return rows_; }
  std::int64_t dim() const { return dim_; }
  bool quantized() const { return bytes_ != nullptr; }

  /// Row `index`; `room` [dim] is where an int8 row is expanded.
  const float* row(std::int32_t index, float* room) const;
  /// Asks for row `index` to be brought near.
  void prefetch(std::int32_t index) const {
    const std::int64_t first = index * dim_;
    __builtin_prefetch(bytes_ == nullptr ? static_cast<const void*>(floats_ + first)
                                         : static_cast<const void*>(bytes_ + first));
  }

 private:
  std::int64_t rows_, dim_;
  const float* floats_ = nullptr;
  const std::int8_t* bytes_ = nullptr;
  const float* scales_ = nullptr;
  const float* middles_ = nullptr;
};

}  // namespace limber
