#pragma once

#include <arrow/status.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limber/core/data/reader.h"

namespace limber {

/// Rows handed on at once, at most: enough to hide the cost of a call, few enough to stay small.
inline constexpr std::int64_t kBatchRows = 65536;

/// One open file of TableReader.
class TableSource {
 public:
  virtual ~TableSource() = default;

  /// Fills batch, first_row and left_out. False at the end, where left_out holds the bad rows
  /// after the last good one. A batch may be empty.
  virtual bool next(Chunk& chunk) = 0;
  /// Share of the file read so far, in [0, 1].
  virtual double share_done() const = 0;
};

bool is_parquet(const std::filesystem::path& path);

std::unique_ptr<TableSource> open_csv(const std::filesystem::path& path,
                                      const std::vector<std::string>& columns, bool skip_bad_rows);
std::vector<std::string> csv_column_names(const std::filesystem::path& path);

/// `groups`: of the file's row groups, first and end; all without.
std::unique_ptr<TableSource> open_parquet(const std::filesystem::path& path,
                                          const std::vector<std::string>& columns,
                                          std::optional<std::pair<int, int>> groups = {});
/// Bytes of each row group, unpacked.
std::vector<double> parquet_group_bytes(const std::filesystem::path& path);
std::vector<std::string> parquet_column_names(const std::filesystem::path& path);

/// Throws the InputError that says why `path` cannot be read, unless `status` is ok.
void check_read(const arrow::Status& status, const std::filesystem::path& path);

/// Throws an InputError unless the names are UTF-8.
void check_names(const std::vector<std::string>& names, const std::filesystem::path& path);

/// Throws an InputError unless each of `wanted` is in `present` exactly once.
void check_columns(const std::vector<std::string>& wanted, const std::vector<std::string>& present,
                   const std::filesystem::path& path);

}  // namespace limber
