#pragma once

#include <filesystem>

#include "limber/core/data/dataset.h"

namespace limber {

/// Notes down beside the encoded columns of a data set what else it is, so that another process can
/// open it without reading the logs again. `folder`: the one that it was built in.
void store_dataset(const Dataset& dataset, const std::filesystem::path& folder);

/// The data set that was stored in `folder`. The columns are mapped: however many processes of a
/// machine open it, they are in memory once. Throws InputError where there is none, or a damaged
/// one.
Dataset open_stored_dataset(const std::filesystem::path& folder);

}  // namespace limber
