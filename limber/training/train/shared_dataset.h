#pragma once

#include <filesystem>

#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/training/distributed/process_group.h"

namespace limber {

/// The data set of a config for processes that train together: on each machine the first of them
/// reads the logs, and the others map what it wrote below `folder`, so that a log is read and
/// stored once a machine. Throws as build_dataset.
Dataset build_shared_dataset(const Config& config, const std::filesystem::path& folder,
                             ProcessGroup& ranks);

}  // namespace limber
