#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "limber/companions/screen/estimate.h"
#include "limber/companions/screen/partial_statistics.h"

namespace limber::screen {

/// What a feature is ranked by: the larger shrunken effect first, of equals the larger |z|, then
/// the name, which alone does not depend on how the features were sharded.
struct RankKey {
  double effect = -1, z = -1;  ///< largest magnitudes of any direction; -1 = not usable
  std::int64_t number = 0;     ///< of the feature

  static RankKey of(const FeatureScore& score, std::int64_t number) {
    RankKey key;
    key.number = number;
    if (!score.usable) return key;
    key.effect = score.largest_effect();
    for (const auto& direction : score.directions) key.z = std::max(key.z, std::abs(direction.z));
    return key;
  }
};

/// The order of all rankings; `name_of(number)` is asked for ties alone.
template <class NameOf>
bool ranks_before(const RankKey& a, const RankKey& b, NameOf&& name_of) {
  if (a.effect != b.effect) return a.effect > b.effect;
  if (a.z != b.z) return a.z > b.z;
  return name_of(a.number) < name_of(b.number);
}

/// Throws InputError when two features have the same name. Memory stays flat: hashes are sorted in
/// a temporary file.
void check_unique_names(const Statistics& statistics);

}  // namespace limber::screen
