#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace limber {

/// What the first rows of a table show about one of its columns. "All" means all that are present.
struct ColumnProfile {
  std::string name;
  std::string problem;    ///< why the column cannot be read; empty when it can
  std::int64_t rows = 0;  ///< looked at
  std::int64_t missing = 0;
  std::int64_t distinct = 0;  ///< different values; of a list or separated text: different parts
  bool is_list = false;
  bool is_number = false;      ///< all are numbers, and none is padded with zeros ("007")
  bool is_whole = false;       ///< all are numbers without a fraction
  bool is_truth = false;       ///< all are 0, 1, true or false
  bool is_time = false;        ///< all are timestamps, dates or ISO 8601 text; not plain numbers
  bool is_typed_time = false;  ///< is_time, and the file says so by its type
  std::int64_t separated = 0;  ///< rows with a "|" in their text
  double least = 0;            ///< of numbers, like the following
  double most = 0;
  double median = 0;
  std::map<double, std::int64_t> counts;  ///< of numbers with few different values; else empty

  std::int64_t present() const { return rows - missing; }
  bool is_unique() const { return missing == 0 && rows > 0 && distinct == rows && !is_list; }
};

struct TableProfile {
  std::vector<std::filesystem::path> files;
  std::int64_t rows = 0;      ///< looked at
  std::int64_t bad_rows = 0;  ///< left out of those looked at
  bool is_whole = false;      ///< there are no more rows
  std::vector<ColumnProfile> columns;

  const ColumnProfile* find(const std::string& name) const;
};

/// Looks at the first `most_rows` rows of a table in one or more files. Rows that cannot be read
/// are counted, files that cannot be read are InputErrors.
TableProfile profile_table(const std::vector<std::filesystem::path>& files, std::int64_t most_rows);

}  // namespace limber
