#pragma once

#include <filesystem>

#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/training/distributed/process_group.h"

namespace limber {

/// The data set of a config for processes that train together: those on one machine read a share of
/// the interactions each (row groups of Parquet files, whole CSV files), the first of them puts the
/// shares together, and the others map what it wrote below `folder`: a log is read and stored once a
/// machine. Throws as build_dataset, and Error in processes that wait for one that failed.
Dataset build_shared_dataset(const Config& config, const std::filesystem::path& folder,
                             ProcessGroup& ranks);

}  // namespace limber
