#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "limber/core/data/column.h"
#include "limber/core/data/reader.h"

namespace limber {

/// Reads rows and hands them out one at a time as column views, turning every BadValue into an
/// error that names file, row and column, or into a counted skip.
///
/// `row(views, i)` must read everything that can be bad before it stores anything, so that a
/// skipped row leaves no trace; it sets `at` to the index of the column that it is reading.
/// `share`: of the rows.
void for_each_row(std::vector<std::filesystem::path> files, std::vector<std::string> columns,
                  bool skip_bad_rows, const std::string& progress_label, std::int64_t& bad_rows,
                  const std::function<void(std::vector<ColumnView>& views, std::int64_t i,
                                           std::size_t& at)>& row,
                  ReadShare share = {});

}  // namespace limber
