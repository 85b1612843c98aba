#pragma once

#include "limber/training/layers/parallel.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "limber/training/layers/gemm.h"

namespace limber {

/// Runs body(part, begin, end) over blocks of rows that stay in one core's cache together with
/// what the body makes of them. The rows are divided into `parts` runs, each for one thread; a sum
/// over rows is kept by part and added up in the order of the parts, so that the same number of
/// threads gives the same bits.
class RowBlocks {
 public:
  /// `width`: of the rows. BLAS repacks a wide weight matrix for every block, so that wide blocks
  /// must be long.
  RowBlocks(std::int64_t rows, std::int64_t width)
      : rows_(rows),
        block_(width > 192 ? 1024 : 256),
        parts_(std::clamp<std::int64_t>(
            rows / least_rows, 1,
            at::in_parallel_region() ? 1 : static_cast<std::int64_t>(at::get_num_threads()))) {}

  std::int64_t parts() const { return parts_; }
  std::int64_t block() const { return block_; }

  template <class Body>
  void run(const Body& body) const {
    const std::int64_t each = (rows_ + parts_ - 1) / parts_;
    at::parallel_for(0, parts_, 1, [&](std::int64_t first, std::int64_t last) {
      const SerialBlas serial;
      for (std::int64_t part = first; part < last; ++part) {
        const std::int64_t end = std::min(rows_, (part + 1) * each);
        for (std::int64_t begin = part * each; begin < end; begin += block_) {
          body(part, begin, std::min(end, begin + block_));
        }
      }
    });
  }

 private:
  static constexpr std::int64_t least_rows = 128;
  std::int64_t rows_, block_, parts_;
};

/// One sum of `size` elements for each part; `finish` adds them up into `result`.
template <class T>
class PartialSums {
 public:
  PartialSums(std::int64_t parts, std::int64_t size)
      : size_(static_cast<std::size_t>(size)),
        sums_(static_cast<std::size_t>(parts) * size_, T(0)) {}
  T* of(std::int64_t part) { return sums_.data() + static_cast<std::size_t>(part) * size_; }
  void finish(T* result) const {
    std::copy_n(sums_.begin(), size_, result);
    for (std::size_t at = size_; at < sums_.size(); ++at) result[at % size_] += sums_[at];
  }

 private:
  std::size_t size_;
  std::vector<T> sums_;
};

}  // namespace limber
