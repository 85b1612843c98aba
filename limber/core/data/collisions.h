#pragma once

#include <cstdint>
#include <vector>

#include "limber/core/data/encoder.h"

namespace limber {

/// The distinct ones of many hashes, in as much memory as twice their number takes.
class DistinctHashes {
 public:
  void add(std::uint64_t hash);
  /// Ascending. The object is then empty.
  std::vector<std::uint64_t> take();

 private:
  void sort();

  std::vector<std::uint64_t> hashes_;
  std::size_t sorted_ = 0;  ///< how many there were after the last sorting
};

/// How many of the values behind these distinct hashes share their rows (encoder of kind hash or
/// qr). Values of one hash, of which a billion ids have 0.03 pairs on average, count as one.
Collisions count_collisions(const FeatureEncoder& encoder,
                            const std::vector<std::uint64_t>& hashes);

}  // namespace limber
