#pragma once

#include <filesystem>

#include "limber/core/config/config_node.h"

namespace limber {

/// Puts `folder` before every relative path of `data` in a config that has been parsed but not yet
/// read; an empty folder, or an empty path, is left. It is called before --set is applied, whose
/// paths are relative to the current folder, as everywhere on a command line.
void resolve_paths(ConfigNode& config, const std::filesystem::path& folder);

}  // namespace limber
