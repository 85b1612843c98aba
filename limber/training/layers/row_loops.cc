#include "limber/training/layers/row_loops.h"

#include <algorithm>

// Sanitizers are not ready when the loader picks a clone.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define LIMBER_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LIMBER_CLONES
#endif
#define LIMBER_INLINE inline __attribute__((always_inline))

namespace limber {
namespace {

template <class T>
LIMBER_INLINE void add_bias_relu_body(T* __restrict y, const T* __restrict bias, std::int64_t rows,
                                      std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row, y += width) {
    for (std::int64_t c = 0; c < width; ++c) {
      const T value = y[c] + bias[c];
      y[c] = value > T(0) ? value : T(0);
    }
  }
}

template <class T>
LIMBER_INLINE void mask_by_relu_body(const T* __restrict above, const T* __restrict y,
                                     T* __restrict g, T* __restrict bias_sum, std::int64_t rows,
                                     std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row, above += width, y += width, g += width) {
    for (std::int64_t c = 0; c < width; ++c) {
      const T passed = above[c];
      const T value = y[c] > T(0) ? passed : T(0);
      g[c] = value;
      bias_sum[c] += value;
    }
  }
}

template <class T>
LIMBER_INLINE void cross_forward_body(const T* __restrict x0, const T* __restrict x,
                                      const T* __restrict bias, T* __restrict mixed,
                                      T* __restrict y, std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < width; ++c) {
      const T value = mixed[c] + bias[c];
      mixed[c] = value;
      y[c] = x[c] + x0[c] * value;
    }
    x0 += width, x += width, mixed += width, y += width;
  }
}

template <class T>
LIMBER_INLINE void cross_backward_body(const T* __restrict above, const T* __restrict above_mixed,
                                       const T* __restrict x0, T* __restrict dmixed,
                                       T* __restrict bias_sum, std::int64_t rows,
                                       std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < width; ++c) dmixed[c] = above[c] * x0[c];
    if (above_mixed != nullptr) {
      for (std::int64_t c = 0; c < width; ++c) dmixed[c] += above_mixed[c];
      above_mixed += width;
    }
    for (std::int64_t c = 0; c < width; ++c) bias_sum[c] += dmixed[c];
    above += width, x0 += width, dmixed += width;
  }
}

template <class T>
LIMBER_INLINE void product_body(const T* __restrict a, const T* __restrict b, T* __restrict out,
                                std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] * b[i];
}

template <class T>
LIMBER_INLINE void add_product_body(const T* __restrict a, const T* __restrict b, T* __restrict out,
                                    std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] + a[i] * b[i];
}

}  // namespace

// Clones are made of plain functions, not of templates: hence one by one.
#define LIMBER_SPECIALIZE(T)                                                                  \
  template <>                                                                                 \
  LIMBER_CLONES void add_bias_relu<T>(T * y, const T* bias, std::int64_t rows,                \
                                      std::int64_t width) {                                   \
    add_bias_relu_body(y, bias, rows, width);                                                 \
  }                                                                                           \
  template <>                                                                                 \
  LIMBER_CLONES void mask_by_relu<T>(const T* above, const T* y, T* g, T* bias_sum,           \
                                     std::int64_t rows, std::int64_t width) {                 \
    mask_by_relu_body(above, y, g, bias_sum, rows, width);                                    \
  }                                                                                           \
  template <>                                                                                 \
  LIMBER_CLONES void cross_forward<T>(const T* x0, const T* x, const T* bias, T* mixed, T* y, \
                                      std::int64_t rows, std::int64_t width) {                \
    cross_forward_body(x0, x, bias, mixed, y, rows, width);                                   \
  }                                                                                           \
  template <>                                                                                 \
  LIMBER_CLONES void cross_backward<T>(const T* above, const T* above_mixed, const T* x0,     \
                                       T* dmixed, T* bias_sum, std::int64_t rows,             \
                                       std::int64_t width) {                                  \
    cross_backward_body(above, above_mixed, x0, dmixed, bias_sum, rows, width);               \
  }                                                                                           \
  template <>                                                                                 \
  LIMBER_CLONES void product<T>(const T* a, const T* b, T* out, std::int64_t count) {         \
    product_body(a, b, out, count);                                                           \
  }                                                                                           \
  template <>                                                                                 \
  LIMBER_CLONES void add_product<T>(const T* a, const T* b, T* out, std::int64_t count) {     \
    add_product_body(a, b, out, count);                                                       \
  }

LIMBER_SPECIALIZE(float)
LIMBER_SPECIALIZE(double)

}  // namespace limber
