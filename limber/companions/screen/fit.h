#pragma once

#include <filesystem>

#include "limber/companions/screen/feature_source.h"
#include "limber/companions/screen/partial_statistics.h"
#include "limber/companions/screen/screen_model.h"

namespace limber::screen {

struct FitRequest {
  FitOptions fit;
  Transform transform;  ///< its unit is fitted
  int tune_folds = 5;   ///< 0 = no tuning: `candidate`
  Candidate candidate;
  std::uint64_t seed = 1;
  /// A table of all features, ranked, to write beside the model; "" = none.
  std::filesystem::path ranked;
};

/// Whether the rule can be had from sums over features alone. If so memory stays flat however many
/// features there are, and features may be summarised in shards.
bool needs_values(const FitRequest& request);

/// Fits a model to a data set.
ScreenModel fit_model(FeatureSource& source, const FitRequest& request);

/// The same from partial statistics, whose samples' values are gone: the request must not need
/// them, its transform is that of the statistics. Features come out in the same order, with the
/// same bits, however they were sharded. Throws InputError.
ScreenModel fit_model(const Statistics& statistics, const FitRequest& request);

}  // namespace limber::screen
