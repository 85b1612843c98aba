#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <chrono>

#include "limber/serving/runtime/packed_matrix.h"

namespace limber {

/// Operations a second of one core in the best matrix product found here: LibTorch's at several
/// sizes, and our own. What "peak" means in the benchmarks.
inline double matrix_multiply_peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  const auto time = [&](double operations, auto multiply_once) {
    multiply_once();
    const auto start = Clock::now();
    while (std::chrono::duration<double>(Clock::now() - start).count() < seconds / 6) {
      const auto before = Clock::now();
      multiply_once();
      best =
          std::max(best, operations / std::chrono::duration<double>(Clock::now() - before).count());
    }
  };
  for (const std::int64_t size : {256, 512, 1024, 2048}) {
    const torch::Tensor a = torch::rand({size, size}), b = torch::rand({size, size});
    torch::Tensor c = torch::empty({size, size});
    time(2.0 * static_cast<double>(size * size * size), [&] { torch::mm_out(c, a, b); });
  }
  for (const std::int64_t size : {256, 512}) {
    AlignedFloats a(96 * padded(size)), b(size * padded(size)), c(96 * padded(size));
    const PackedMatrix packed(b.data(), size, size, padded(size));
    Product product = packed.product(a.data(), padded(size), 96);
    product.c = c.data();
    product.c_row = padded(size);
    time(2.0 * 96 * static_cast<double>(size * size), [&] { multiply(product); });
  }
  return best;
}

}  // namespace limber
