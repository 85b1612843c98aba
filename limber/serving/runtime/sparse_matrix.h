#pragma once

#include <cstdint>
#include <vector>

#include "limber/serving/runtime/aligned.h"
#include "limber/serving/runtime/product.h"

namespace limber {

/// The right side of a product with many zeros, laid out as the kernels read it: slice by slice of
/// the inner dimension, panel by panel, of each the rows that are not all zero in the panel, four
/// and four together. Zeros that lie alone are stored and multiplied like other numbers: what pays
/// are pruned units, rows, columns and tiles.
class SparseMatrix {
 public:
  /// Share of the rows of all panels up to which leaving the others out is faster for every size of
  /// request. bench/sparse.cc measures it: with one row and a weight beyond the caches the gain
  /// ends at about 0.7, for the others later.
  static constexpr double kMostDensity = 0.6;

  SparseMatrix() = default;
  /// Packs values [inner, columns], whose rows are `row` floats apart.
  SparseMatrix(const float* values, std::int64_t inner, std::int64_t columns, std::int64_t row);
  /// The same, or an empty matrix where `values` are not sparse enough to be faster than dense.
  static SparseMatrix where_faster(const float* values, std::int64_t inner, std::int64_t columns,
                                   std::int64_t row);

  bool empty() const { return columns_ == 0; }
  std::int64_t inner() const { return inner_; }
  std::int64_t columns() const { return columns_; }
  /// Share of the rows of panels that is kept.
  double density() const;

  /// A product of A [rows, inner] with it. This must stay in its place until it is multiplied.
  Product product(const float* a, std::int64_t a_row, std::int64_t rows) const;

 private:
  std::int64_t inner_ = 0, columns_ = 0, stored_rows_ = 0;
  AlignedFloats values_;  ///< [stored rows, panel]
  std::vector<KeptRows::Run> runs_;
  std::vector<std::int32_t> first_run_;
  std::vector<std::int64_t> first_row_;
  KeptRows kept_;
};

}  // namespace limber
