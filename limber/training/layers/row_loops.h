#pragma once

#include <cstdint>

namespace limber {

// The elementwise parts of the fused layers, over a block of rows that lies in cache. All arrays
// are dense [rows, width] unless said otherwise. Compiled for several instruction sets; the
// machine's best is chosen when the program starts.

/// y = relu(y + bias); bias [width].
template <class T>
void add_bias_relu(T* y, const T* bias, std::int64_t rows, std::int64_t width);

/// g = above where y > 0, else 0; bias_sum [width] += the sum of g's rows.
template <class T>
void mask_by_relu(const T* above, const T* y, T* g, T* bias_sum, std::int64_t rows,
                  std::int64_t width);

/// mixed += bias; y = x + x0 o mixed; bias [width].
template <class T>
void cross_forward(const T* x0, const T* x, const T* bias, T* mixed, T* y, std::int64_t rows,
                   std::int64_t width);

/// dmixed = above o x0 (+ above_mixed unless null); bias_sum [width] += the sum of dmixed's rows.
template <class T>
void cross_backward(const T* above, const T* above_mixed, const T* x0, T* dmixed, T* bias_sum,
                    std::int64_t rows, std::int64_t width);

/// out = a o b, elements.
template <class T>
void product(const T* a, const T* b, T* out, std::int64_t count);

/// out = a + a o b, elements.
template <class T>
void add_product(const T* a, const T* b, T* out, std::int64_t count);

}  // namespace limber
