#include "limber/serving/runtime/quantized_matrix.h"

#include <algorithm>
#include <cmath>

namespace limber {

QuantizedMatrix::QuantizedMatrix(const float* values, std::int64_t inner, std::int64_t columns,
                                 std::int64_t row)
    : inner_(inner), columns_(columns), scales_(padded(columns)) {
  const std::int64_t panel = panel_width(), lanes = panel / 2;
  const std::int64_t panels = (columns + panel - 1) / panel, deep = padded_inner(inner);
  values_.assign(static_cast<std::size_t>(panels * panel * deep), 0);
  sums_.assign(static_cast<std::size_t>(padded(columns)), 0);
  for (std::int64_t j = 0; j < columns; ++j) {
    float most = 0;
    for (std::int64_t k = 0; k < inner; ++k) most = std::max(most, std::abs(values[k * row + j]));
    scales_[j] = most / static_cast<float>(kMostWeight);
    const float inverse = most > 0 ? static_cast<float>(kMostWeight) / most : 0.0F;
    for (std::int64_t k = 0; k < inner; ++k) {
      const auto value = static_cast<std::int8_t>(std::lround(values[k * row + j] * inverse));
      // Panel, then eight rows; in those two groups of four, in those two vectors of columns.
      const std::int64_t p = j / panel, within = j % panel;
      const std::int64_t at = p * panel * deep + k / 8 * 8 * panel + k % 8 / 4 * 4 * panel +
                              within / lanes * 4 * lanes + within % lanes * 4 + k % 4;
      values_[static_cast<std::size_t>(at)] = value;
      sums_[static_cast<std::size_t>(j)] += value;
    }
  }
}

void QuantizedMatrix::apply(const float* x, std::int64_t x_row, std::int64_t rows, bool positive,
                            const float* start, std::int64_t start_row, bool relu,
                            Workspace& workspace, float* to, std::int64_t to_row) const {
  QuantizedProduct product;
  product.rows = rows;
  product.inner = padded_inner(inner_);
  product.columns = columns_;
  product.a_row = product.inner;
  product.zero = positive ? 0 : kZeroActivation;
  auto* quantized = reinterpret_cast<std::uint8_t*>(workspace.take((rows * product.inner + 3) / 4));
  float* scales = workspace.take(rows);
  quantize_rows(x, x_row, rows, inner_, product.zero, quantized, product.a_row, scales);
  product.a = quantized;
  product.row_scale = scales;
  product.b = values_.data();
  product.column_scale = scales_.data();
  product.column_sums = sums_.data();
  product.start = start;
  product.start_row = start_row;
  product.relu = relu;
  product.c = to;
  product.c_row = to_row;
  multiply(product);
}

}  // namespace limber
