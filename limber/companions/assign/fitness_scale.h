#pragma once

#include <optional>

#include "limber/companions/assign/instance.h"

namespace limber::assign {

/// The pair that lies farthest behind the fittest of its position, beside how far others do.
struct Outlier {
  PositionedPair pair;
  double ratio = 0;  ///< to what a tenth of the pairs stay within
};

/// Beyond this ratio the outlier, not the difference between people, makes up the range of fitness,
/// and that difference falls below what rewards resolve: -1e12 for "never", say.
inline constexpr double kMostOutlying = 1e9;

/// None when all candidates are equally fit for their positions. The fittest of a position and
/// those within rounding of it do not count as pairs that lie behind.
std::optional<Outlier> farthest_outlier(const Instance& instance);

}  // namespace limber::assign
