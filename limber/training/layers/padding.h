#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace limber {

/// The width to which rows of `width` are worth being padded with zeros. BLAS multiplies rows whose
/// length is a whole number of vectors up to a third faster; where rows are wide, that is most of a
/// step. Narrow rows stay as they are.
inline std::int64_t padded_width(std::int64_t width) {
  constexpr std::int64_t vector = 16, wide = 192;
  return width > wide ? (width + vector - 1) / vector * vector : width;
}

/// `tensor` [.., columns] with zeros up to `columns`; itself where it is as wide. Differentiable.
inline torch::Tensor pad_columns(const torch::Tensor& tensor, std::int64_t columns) {
  const std::int64_t missing = columns - tensor.size(-1);
  return missing == 0 ? tensor : at::constant_pad_nd(tensor, {0, missing});
}

/// `matrix` [rows, columns] with rows of zeros up to `rows`: what multiplies padded columns.
inline torch::Tensor pad_rows(const torch::Tensor& matrix, std::int64_t rows) {
  const std::int64_t missing = rows - matrix.size(0);
  return missing == 0 ? matrix : at::constant_pad_nd(matrix, {0, 0, 0, missing});
}

}  // namespace limber
