#pragma once

#include <filesystem>

#include "limber/companions/screen/estimate.h"
#include "limber/companions/screen/partial_statistics.h"

namespace limber::screen {

/// Writes all features, the largest effect first, as CSV or Parquet by the name of `path`. Columns:
/// rank, feature, effect (theta-hat), probability (of being non-zero), z, difference (of the means,
/// shrunken, in units of the feature), scale, selected (zero probability up to `threshold`); for
/// more than two classes effect, probability and z once a class (effect_NAME, ...). Features that
/// cannot be used come last, their numbers empty. The heap holds none of it.
void write_ranked_features(const Statistics& statistics, const Estimate& estimate, double threshold,
                           const std::filesystem::path& path);

}  // namespace limber::screen
