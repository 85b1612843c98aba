#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "limber/core/data/column_profile.h"

namespace limber {

struct StarterTable {
  std::string name;
  std::string key;  ///< empty: shares no key with the interactions
  TableProfile profile;
};

/// The tables of some files, by the part they seem to play.
struct StarterTables {
  StarterTable interactions;
  std::vector<StarterTable> side_tables;  ///< joined by their key
  std::vector<StarterTable> others;       ///< cannot be joined
};

/// As starter_config describes. Throws InputError.
StarterTables find_tables(std::span<const std::string> paths, std::int64_t most_rows);

/// Paths or globs that expand_paths turns into just these files; one, where there is one.
std::vector<std::string> patterns_for(const std::vector<std::filesystem::path>& files);

}  // namespace limber
