#pragma once

#include <cstdint>

#include "limber/serving/runtime/aligned.h"
#include "limber/serving/runtime/product.h"

namespace limber {

/// The right side of a product, laid out as the kernels read it: panel by panel, each with all rows
/// of its few columns, so that a product reads it from front to back.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// Packs values [inner, columns], whose rows are `row` floats apart.
  PackedMatrix(const float* values, std::int64_t inner, std::int64_t columns, std::int64_t row);
  /// Packs the transpose of values [columns, inner].
  static PackedMatrix transposed(const float* values, std::int64_t columns, std::int64_t inner,
                                 std::int64_t row);

  std::int64_t inner() const { return inner_; }
  std::int64_t columns() const { return columns_; }

  /// A product of its rows [first, last) with A [rows, last - first].
  Product product(std::int64_t first, std::int64_t last, const float* a, std::int64_t a_row,
                  std::int64_t rows) const;
  Product product(const float* a, std::int64_t a_row, std::int64_t rows) const {
    return product(0, inner_, a, a_row, rows);
  }

 private:
  std::int64_t inner_ = 0, columns_ = 0;
  AlignedFloats values_;
};

}  // namespace limber
