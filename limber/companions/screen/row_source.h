#pragma once

#include <memory>

#include "limber/companions/screen/feature_source.h"

namespace limber::screen {

/// Features in rows; see open_features.
std::unique_ptr<FeatureSource> open_row_source(const SourceOptions& options);

}  // namespace limber::screen
