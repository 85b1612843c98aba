#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/core/data/dataset.h"
#include "limber/serving/runtime/feature_rows.h"
#include "limber/serving/runtime/runtime_model.h"

namespace limber {

/// A side table, encoded as one model sees it: what requests name by key.
struct CatalogueTable {
  std::string name, key;  ///< the side table's name, and its key column
  Vocabulary keys;        ///< row r has index r + 1
  SourceRows rows;
  std::vector<FeatureColumn> columns;  ///< mapped files that `rows` views
  bool of_member = false;              ///< its key is the task: it describes members

  /// Row of a key, or -1.
  std::int64_t row(const Key& wanted) const {
    return static_cast<std::int64_t>(keys.find(wanted)) - 1;
  }
};

/// All side tables of a model, by layout source less one.
class Catalogue {
 public:
  /// Reads the tables of the model's config. `paths` replaces the config's path of a table by name;
  /// relative paths of the config count from `base`. A table that is not there is an InputError
  /// that names the option. Encoded columns lie in mapped files of a temporary folder.
  Catalogue(const RuntimeModel& model, const std::map<std::string, std::string>& paths,
            const std::filesystem::path& base, const std::string& table_option = "--table");

  const std::vector<CatalogueTable>& tables() const { return tables_; }

  /// Tables that were read; for the log: "movie 1682, user 943".
  std::string summary() const;

 private:
  TemporaryFolder folder_;
  std::vector<CatalogueTable> tables_;
};

}  // namespace limber
