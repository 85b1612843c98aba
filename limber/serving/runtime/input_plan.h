#pragma once

#include <cstdint>
#include <vector>

#include "limber/core/data/encoder.h"
#include "limber/serving/runtime/embedding_table.h"
#include "limber/serving/runtime/feature_rows.h"

namespace limber {

/// Where some features stand in a matrix: the runtime's twin of training's input assembly. A list
/// is the mean of its values, zero when empty; a missing number is 0, with its indicator 1 where
/// the encoder has one.
class InputPlan {
 public:
  InputPlan() = default;
  /// `features`: indices into the layout, in the order of their columns.
  InputPlan(const InputLayout& layout, const std::vector<EmbeddingTable>& tables,
            std::vector<std::size_t> features);

  std::int64_t width() const { return width_; }
  const std::vector<std::size_t>& features() const { return features_; }

  /// Writes rows [first, last) of the set to `out`, `stride` floats apart. Allocates nothing.
  void fill(const RowSet& rows, std::int64_t first, std::int64_t last, float* out,
            std::int64_t stride) const;

 private:
  struct Part {
    std::size_t feature, source;
    std::int64_t column, width;
    const EmbeddingTable* table;  ///< null for a plain number
    FeatureKind kind;
  };
  std::vector<std::size_t> features_;
  std::vector<Part> parts_;
  std::int64_t width_ = 0;
};

}  // namespace limber
