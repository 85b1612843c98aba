#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "limber/serving/runtime/aligned.h"

namespace limber {

/// Scratch memory of one thread. What a request takes is given back all at once when the next one
/// begins; after the first requests of a size nothing is allocated any more.
class Workspace {
 public:
  /// Forgets what was taken. Everything that take() returned is void from here on.
  void restart() {
    if (blocks_.size() > 1) {
      // One block that holds all that was needed at once.
      std::int64_t total = 0;
      for (const AlignedFloats& block : blocks_) total += block.size();
      blocks_.clear();
      blocks_.emplace_back(total);
    }
    used_ = 0;
  }

  /// `count` floats that begin at a cache line; their values are whatever was there before.
  float* take(std::int64_t count) {
    count = padded(count);
    if (blocks_.empty() || used_ + count > blocks_.back().size()) {
      blocks_.emplace_back(std::max<std::int64_t>(count, std::int64_t{1} << 16));
      used_ = 0;
    }
    float* taken = blocks_.back().data() + used_;
    used_ += count;
    return taken;
  }
  /// A matrix whose rows are padded(columns) apart.
  float* take(std::int64_t rows, std::int64_t columns) { return take(rows * padded(columns)); }
  /// The same, zeroed.
  float* zeros(std::int64_t rows, std::int64_t columns) {
    float* taken = take(rows, columns);
    std::fill_n(taken, rows * padded(columns), 0.0F);
    return taken;
  }

  /// Floats held, used or not.
  std::int64_t size() const {
    std::int64_t total = 0;
    for (const AlignedFloats& block : blocks_) total += block.size();
    return total;
  }

 private:
  std::vector<AlignedFloats> blocks_;
  std::int64_t used_ = 0;  ///< of the last block
};

}  // namespace limber
