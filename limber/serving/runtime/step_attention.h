#pragma once

#include <cstdint>

namespace limber {

/// Attention of one head between the steps of one sequence. `parts` [steps, ..], `row` floats
/// apart, holds query, key and value of the head from `query`, `key` and `value` on, `width`
/// numbers each; to [steps, width], `to_row` apart. `scratch`: (width + 1) x steps floats.
void step_attention(const float* parts, std::int64_t row, std::int64_t query, std::int64_t key,
                    std::int64_t value, std::int64_t steps, std::int64_t width, float* scratch,
                    float* to, std::int64_t to_row);

/// to(i, j) = gain(j) (x(i, j) - mean_i) / sqrt(variance_i + epsilon) + bias(j); both matrices with
/// the same stride.
void normalize_rows(const float* x, const float* gain, const float* bias, std::int64_t row,
                    std::int64_t rows, std::int64_t width, float* to);

}  // namespace limber
