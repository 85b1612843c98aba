#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "limber/core/config/options.h"

namespace limber {

/// Where each source's files are and which columns they have.
struct SourceFiles {
  std::string name, key;
  std::vector<std::filesystem::path> files;
  std::vector<std::string> columns;

  bool has(const std::string& column) const {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  }
};

/// The interactions, then the side tables. `trained`: the options are those of a model, so that
/// relative paths count from where it was trained. Throws InputError that names option and path: no
/// such file, no key column.
std::vector<SourceFiles> find_sources(const DataOptions& data, bool trained);

/// Throws InputError unless the source has the column that `option` asks for.
void need_column(const SourceFiles& source, const std::string& column, const std::string& option);

/// A key column belongs to its side table, where its feature is computed once per row of the table
/// instead of once per interaction; other columns are taken from the interactions first.
std::string table_of(const std::vector<SourceFiles>& sources, const FeatureOptions& feature,
                     const std::string& column);

}  // namespace limber
