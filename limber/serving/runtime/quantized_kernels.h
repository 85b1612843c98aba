#pragma once

#include <cstdint>

#include "limber/serving/runtime/product.h"

/// Products of small integers: activations of seven bits, weights of seven bits with a sign. Two
/// products of such weights fit 16 bits without overflow, which is what processors without an
/// instruction for sums of four (VNNI) need to add cheaply. All processors give the same bits.
namespace limber {

/// Largest activation and largest weight in absolute value.
inline constexpr int kMostActivation = 127;
inline constexpr int kMostWeight = 63;
/// What stands for 0 where activations have a sign.
inline constexpr int kZeroActivation = 64;
/// The inner dimension is a multiple of this.
inline constexpr std::int64_t kInnerPadding = 8;

constexpr std::int64_t padded_inner(std::int64_t inner) {
  return (inner + kInnerPadding - 1) / kInnerPadding * kInnerPadding;
}

/// C(i, j) = finish(start(i, j) + row_scale(i) * column_scale(j) * sum_k (a(i, k) - zero) b(k, j)).
struct QuantizedProduct {
  std::int64_t rows = 0, inner = 0, columns = 0;  ///< inner: padded
  const std::uint8_t* a = nullptr;                ///< [rows, inner]
  std::int64_t a_row = 0;
  const std::int8_t* b = nullptr;  ///< packed, see QuantizedMatrix
  int zero = 0;
  const float* row_scale = nullptr;           ///< [rows]
  const float* column_scale = nullptr;        ///< [columns], padded
  const std::int32_t* column_sums = nullptr;  ///< [columns], padded: sum_k b(k, j)
  const float* start = nullptr;               ///< as Product's
  std::int64_t start_row = 0;
  float* c = nullptr;
  std::int64_t c_row = 0;
  bool relu = false;
};

void multiply(const QuantizedProduct& product);

/// Rounds each row of x [rows, columns] to integers in [0, 127], `zero` standing for 0, and gives
/// the row's scale: x = scale * (q - zero). With `zero` 0 nothing of x may be negative. The columns
/// from `columns` to padded_inner(columns) become `zero`.
void quantize_rows(const float* x, std::int64_t x_row, std::int64_t rows, std::int64_t columns,
                   int zero, std::uint8_t* q, std::int64_t q_row, float* scales);

}  // namespace limber
