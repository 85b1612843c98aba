#include "limber/serving/runtime/packed_matrix.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>

namespace limber {

PackedMatrix::PackedMatrix(const float* values, std::int64_t inner, std::int64_t columns,
                           std::int64_t row)
    : inner_(inner), columns_(columns) {
  const std::int64_t panel = panel_width();
  const std::int64_t panels = (columns + panel - 1) / panel;
  values_ = AlignedFloats(panels * panel * inner);
  for (std::int64_t p = 0; p < panels; ++p) {
    const std::int64_t width = std::min(panel, columns - p * panel);
    for (std::int64_t k = 0; k < inner; ++k) {
      std::copy_n(values + k * row + p * panel, width, values_.data() + (p * inner + k) * panel);
    }
  }
}

PackedMatrix PackedMatrix::transposed(const float* values, std::int64_t columns, std::int64_t inner,
                                      std::int64_t row) {
  AlignedFloats turned(inner * padded(columns));
  transpose(values, row, turned.data(), padded(columns), columns, inner);
  return {turned.data(), inner, columns, padded(columns)};
}

Product PackedMatrix::product(std::int64_t first, std::int64_t last, const float* a,
                              std::int64_t a_row, std::int64_t rows) const {
  Product product;
  product.rows = rows;
  product.inner = last - first;
  product.columns = columns_;
  product.a = a;
  product.a_row = a_row;
  product.b_row = panel_width();
  product.b_panel = inner_ * panel_width();
  product.b = values_.data() + first * panel_width();
  return product;
}

}  // namespace limber
