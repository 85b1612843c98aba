#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "limber/serving/rows/request_schema.h"

namespace limber {

/// Where a row stands, for messages.
struct LogPlace {
  const std::filesystem::path* file = nullptr;
  std::int64_t row = 0;
};

/// Streams CSV and Parquet files as rows of the schema: of its columns those that the files have,
/// the task's among them. A row's texts live until `use` returns. A row that `use` finds bad
/// (BadField, BadValue) ends the reading with an InputError that names file, row and column, or is
/// counted and left out with `skip_bad_rows`. Returns how many were left out.
std::int64_t for_each_log_row(const std::vector<std::filesystem::path>& files,
                              const RequestSchema& schema, bool skip_bad_rows,
                              const std::string& progress_label,
                              const std::function<void(FieldRow& row, const LogPlace&)>& use);

}  // namespace limber
