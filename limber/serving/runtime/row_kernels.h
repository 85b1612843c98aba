#pragma once

#include <cstdint>

#include "limber/core/artifact/tensor.h"

/// What is done to the rows of matrices beside products.
///
/// Each function is compiled for several instruction sets, and the best that the processor has is
/// chosen at the first call. Matrices are row-major; their rows are a multiple of kRowPadding
/// floats apart unless said otherwise, and what lies between their last column and the next row is
/// written freely.
namespace limber {

/// to(i, j) = max(from(i, j) + shift(j), 0).
void add_relu(const float* from, std::int64_t from_row, const float* shift, float* to,
              std::int64_t to_row, std::int64_t rows, std::int64_t columns);
/// to(i, j) = from(i, j) + shift(j); both matrices with the same stride.
void add_rows(const float* from, const float* shift, float* to, std::int64_t row, std::int64_t rows,
              std::int64_t columns);
/// to(i, j) = left(i, j) * right(i, j) + more(i, j); all with the same stride.
void multiply_add(const float* left, const float* right, const float* more, float* to,
                  std::int64_t row, std::int64_t rows, std::int64_t columns);
/// to(i, j) = left(i, j) * right(i, j); all with the same stride.
void multiply_elements(const float* left, const float* right, float* to, std::int64_t row,
                       std::int64_t rows, std::int64_t columns);
/// sums(j) = sum_i weights(i) * rows(i, j); null weights are ones.
void sum_rows(const float* matrix, std::int64_t row, const float* weights, std::int64_t rows,
              std::int64_t columns, float* sums);
/// logits(i, l) = start(i, l) + bias(l) + sum_j h(i, j) * weights(l, j): few outputs, many inputs.
/// weights [outputs, inputs] with rows `weights_row` apart; logits and start (may be null) are
/// dense [rows, outputs].
void few_outputs(const float* h, std::int64_t h_row, const float* weights, std::int64_t weights_row,
                 const float* bias, const float* start, float* logits, std::int64_t rows,
                 std::int64_t inputs, std::int64_t outputs);
/// The adjoint of few_outputs in h: to(i, j) = sum_l seed(i, l) * weights(l, j), 0 where `mask` is
/// given and mask(i, j) <= 0. seed is dense [rows, outputs].
void few_outputs_adjoint(const float* seed, const float* weights, std::int64_t weights_row,
                         const float* mask, std::int64_t mask_row, float* to, std::int64_t to_row,
                         std::int64_t rows, std::int64_t inputs, std::int64_t outputs);
/// to(i, j) = weights(i) * vector(j) where mask(i, j) > 0, else 0; null weights are ones, a null
/// mask is true everywhere.
void masked_outer(const float* weights, const float* vector, const float* mask,
                  std::int64_t mask_row, float* to, std::int64_t to_row, std::int64_t rows,
                  std::int64_t columns);
/// to(j, i) = from(i, j).
void transpose(const float* from, std::int64_t from_row, float* to, std::int64_t to_row,
               std::int64_t rows, std::int64_t columns);
/// to(j) = tanh(from(j)), over whole rows.
void tanh_rows(float* matrix, std::int64_t row, std::int64_t rows, std::int64_t columns);
/// to(i, j) = max(from(i, j), 0); both matrices with the same stride.
void relu_rows(const float* from, float* to, std::int64_t row, std::int64_t rows,
               std::int64_t columns);
/// to(j) = 0 where h(j) <= 0: back through a relu whose output was h.
inline void mask_rows(const float* h, std::int64_t count, float* to) {
  for (std::int64_t j = 0; j < count; ++j) to[j] = h[j] > 0 ? to[j] : 0.0F;
}
/// to(i, j) *= 1 - h(i, j)^2: back through a tanh whose output was h.
void tanh_adjoint(const float* h, float* to, std::int64_t row, std::int64_t rows,
                  std::int64_t columns);
/// to(j) += scale * from(j).
void add_scaled(const float* from, float scale, float* to, std::int64_t count);
/// to(j) = middle + scale * from(j): a row of an int8 table (LiRank, arXiv 2402.06859, section 5).
void expand_int8(const std::int8_t* from, float scale, float middle, float* to, std::int64_t count);
/// to(j) = from(j): a row of a table of halves. Neither side is padded.
void expand_halves(const Half* from, float* to, std::int64_t count);

}  // namespace limber
