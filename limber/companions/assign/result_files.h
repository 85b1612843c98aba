#pragma once

#include <filesystem>

#include "limber/companions/assign/results.h"

namespace limber::assign {

/// Makes the folder that results go to and tries it: throws an InputError when it cannot be made or
/// written to, or when a folder has the name of a file to come. Old results stay as they are.
void prepare_folder(const std::filesystem::path& folder);

/// Renders everything, writes it all beside the old files and only then renames: a failure before
/// the last step leaves the old set whole. Throws Error (disk full).
void write_results(const std::filesystem::path& folder, const Results& results);

}  // namespace limber::assign
