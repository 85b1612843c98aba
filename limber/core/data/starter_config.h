#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace limber {

/// A commented YAML config for the data in `paths` (files, folders or globs), for a person to look
/// over and run. Files with the same columns make one table. The interactions are the table that
/// the others can be joined to by a column that is unique in them, or the longest where none can.
/// The first 100,000 rows of each table are looked at to guess whom to personalise for, the time,
/// the label and the features; each comment says why, and what else might be meant.
///
/// Relative paths are written relative to `folder`, where the config is going to be. Throws
/// InputError when a file cannot be read or the interactions have no rows.
std::string starter_config(std::span<const std::string> paths,
                           const std::filesystem::path& folder = ".");

}  // namespace limber
