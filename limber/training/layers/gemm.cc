#include "limber/training/layers/gemm.h"

#include <torch/torch.h>

#include <algorithm>

#include "limber/training/layers/parallel.h"

// LibTorch's own BLAS (MKL in the x86 wheels), which it exports under the Fortran names. Weak, so
// that a LibTorch that keeps its BLAS to itself, or has another, still links.
extern "C" {
int MKL_Set_Num_Threads_Local(int) __attribute__((weak));
void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*,
            const float*, const int*, const float*, const int*, const float*, float*, const int*)
    __attribute__((weak));
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*,
            const double*, const int*, const double*, const int*, const double*, double*,
            const int*) __attribute__((weak));
}

namespace limber {
namespace {

template <class T>
auto blas() {
  if constexpr (std::is_same_v<T, float>) {
    return &sgemm_;
  } else {
    return &dgemm_;
  }
}

template <class T>
torch::Tensor view(const T* data, std::int64_t rows, std::int64_t columns, std::int64_t stride,
                   bool transposed) {
  return torch::from_blob(const_cast<T*>(data), {rows, columns},
                          transposed ? at::IntArrayRef{1, stride} : at::IntArrayRef{stride, 1},
                          c10::CppTypeToScalarType<T>::value);
}

}  // namespace

template <class T>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t inner, Operand<T> a,
              Operand<T> b, T beta, T* c, std::int64_t stride) {
  if (rows == 0 || columns == 0) return;
  const auto gemm = blas<T>();
  if (gemm == nullptr) {
    torch::Tensor result = view<T>(c, rows, columns, stride, false);
    result.addmm_(view(a.data, rows, inner, a.stride, a.transposed),
                  view(b.data, inner, columns, b.stride, b.transposed), beta, 1);
    return;
  }
  // BLAS counts by columns; a row-major matrix is its own transpose there, so c' = b' a'.
  const auto width = [](std::int64_t value, std::int64_t least) {
    return static_cast<int>(std::max<std::int64_t>({value, least, 1}));
  };
  const char of_a = a.transposed ? 'T' : 'N', of_b = b.transposed ? 'T' : 'N';
  const int m = static_cast<int>(columns), n = static_cast<int>(rows), k = static_cast<int>(inner);
  const int a_stride = width(a.stride, a.transposed ? rows : inner);
  const int b_stride = width(b.stride, b.transposed ? inner : columns);
  const int c_stride = width(stride, columns);
  const T one = 1;
  gemm(&of_b, &of_a, &m, &n, &k, &one, b.data, &b_stride, a.data, &a_stride, &beta, c, &c_stride);
}

SerialBlas::SerialBlas() : acts_(MKL_Set_Num_Threads_Local != nullptr && at::in_parallel_region()) {
  if (!acts_) return;
  // A new thread's first call into LibTorch sets the number of threads; let that come before.
  at::get_num_threads();
  before_ = MKL_Set_Num_Threads_Local(1);
}

SerialBlas::~SerialBlas() {
  if (acts_) MKL_Set_Num_Threads_Local(before_);
}

template void multiply<float>(std::int64_t, std::int64_t, std::int64_t, Operand<float>,
                              Operand<float>, float, float*, std::int64_t);
template void multiply<double>(std::int64_t, std::int64_t, std::int64_t, Operand<double>,
                               Operand<double>, double, double*, std::int64_t);

}  // namespace limber
