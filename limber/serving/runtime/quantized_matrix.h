#pragma once

#include <cstdint>
#include <vector>

#include "limber/serving/runtime/aligned.h"
#include "limber/serving/runtime/quantized_kernels.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// A weight rounded to seven bits with a scale for each column, laid out as the kernels read it:
/// panel by panel, each in groups of four rows whose bytes lie together.
class QuantizedMatrix {
 public:
  QuantizedMatrix() = default;
  /// values [inner, columns], rows `row` floats apart.
  QuantizedMatrix(const float* values, std::int64_t inner, std::int64_t columns, std::int64_t row);

  std::int64_t inner() const { return inner_; }
  std::int64_t columns() const { return columns_; }
  bool empty() const { return columns_ == 0; }

  /// to = finish(start + x W) for x [rows, inner], each row of which is rounded to seven bits
  /// first. `positive`: nothing of x is negative, so that no bit goes to a sign.
  void apply(const float* x, std::int64_t x_row, std::int64_t rows, bool positive,
             const float* start, std::int64_t start_row, bool relu, Workspace& workspace, float* to,
             std::int64_t to_row) const;

 private:
  std::int64_t inner_ = 0, columns_ = 0;
  std::vector<std::int8_t> values_;
  AlignedFloats scales_;
  std::vector<std::int32_t> sums_;
};

}  // namespace limber
