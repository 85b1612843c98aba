#pragma once

#include <cstdint>

namespace limber {

/// A row-major matrix as an operand of `multiply`: element (i, j) is data[i * stride + j], or
/// data[j * stride + i] where `transposed`.
template <class T>
struct Operand {
  const T* data;
  std::int64_t stride;
  bool transposed = false;
};

/// c = a b + beta c, with a [rows, inner], b [inner, columns] and c [rows, columns] row-major, its
/// rows `stride` apart. T is float or double. Straight to BLAS: what the tasks of a batch multiply
/// is so small that a tensor operation would cost more than the product.
template <class T>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t inner, Operand<T> a,
              Operand<T> b, T beta, T* c, std::int64_t stride);

/// While it lives, matrix products called within a parallel loop stay on their thread. They would
/// be one thread's anyway, but MKL would form and dissolve a team for each of them. Outside of
/// parallel loops, also where a loop was not worth dividing, it does nothing.
class SerialBlas {
 public:
  SerialBlas();
  ~SerialBlas();
  SerialBlas(const SerialBlas&) = delete;
  SerialBlas& operator=(const SerialBlas&) = delete;

 private:
  bool acts_;
  int before_ = 0;
};

}  // namespace limber
