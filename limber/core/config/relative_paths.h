#pragma once

#include <filesystem>

#include "limber/core/config/options.h"

namespace limber {

/// Puts `folder` before every relative path of `data`; an empty folder, or an empty path, is left.
void resolve_paths(DataOptions& data, const std::filesystem::path& folder);

}  // namespace limber
