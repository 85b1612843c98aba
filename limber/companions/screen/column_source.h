#pragma once

#include <memory>

#include "limber/companions/screen/feature_source.h"

namespace limber::screen {

/// Features in columns; see open_features. A CSV file is read once and laid out in a temporary
/// file, from which blocks of columns are taken; a Parquet file is read column by column.
std::unique_ptr<FeatureSource> open_column_source(const SourceOptions& options);

}  // namespace limber::screen
