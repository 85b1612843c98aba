#pragma once

#include <vector>

#include "limber/core/data/encoder.h"
#include "limber/core/data/source_files.h"

namespace limber {

/// Encoders of the config's features before anything is fitted. Throws InputError for a column that
/// no source has.
std::vector<FeatureEncoder> new_encoders(const Config& config,
                                         const std::vector<SourceFiles>& sources);

}  // namespace limber
