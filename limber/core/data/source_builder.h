#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limber/core/data/raw_feature.h"
#include "limber/core/data/source_files.h"

namespace limber {

/// One source while it is read: its features, and which of the read columns each comes from.
struct SourceBuilder {
  std::vector<std::string> columns;  ///< that are read, in the order of the views
  std::vector<int> features;         ///< indices of encoders
  std::vector<RawFeature> raw;       ///< by `features`
  std::vector<std::size_t> view_of;  ///< by `features`
  Vocabulary keys;                   ///< side tables: row r has key r + 1

  /// The view of a column, which is read from now on.
  std::size_t use(const std::string& column);
  /// Begins to collect a feature; `stem` is what its files' names begin with.
  void add(int feature, const FeatureEncoder& encoder, Fit fit, const std::filesystem::path& stem);

  /// Reads the features of row `i` without storing them. Throws BadValue, with `at` the view.
  void read(const std::vector<ColumnView>& views, std::int64_t i, std::size_t& at);
  /// Stores what was read last.
  void store();
};

/// Reads a side table whose features were added. Throws InputError (or counts the row) for a key
/// that is missing or occurs twice, too.
void read_side_table(const SourceFiles& files, bool skip_bad_rows, SourceBuilder& builder,
                     std::int64_t& bad_rows);

/// Gives keys that only the interactions know a row of their own each: the key column's feature
/// reads the key, all others are missing. `key_column`: of the side table; `encoders`: all.
void add_unlisted_keys(SourceBuilder& builder, const std::string& key_column,
                       const std::vector<FeatureEncoder>& encoders);

}  // namespace limber
