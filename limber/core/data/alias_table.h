#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limber/core/base/random.h"

namespace limber {

/// Draws from a fixed discrete distribution in constant time: Walker's alias method, built as in
/// M. D. Vose, "A linear algorithm for generating random numbers with a given distribution" (1991).
class AliasTable {
 public:
  /// Index i is drawn with probability weights[i] / sum. Weights are not negative, and one of them
  /// at least is positive.
  explicit AliasTable(std::span<const double> weights);

  std::int64_t draw(Random& random) const {
    const std::uint64_t column = random.below(entries_.size());
    const Entry& entry = entries_[column];
    return random.uniform() < entry.keep ? static_cast<std::int64_t>(column) : entry.alias;
  }

 private:
  struct Entry {
    double keep;
    std::int64_t alias;
  };
  std::vector<Entry> entries_;
};

}  // namespace limber
