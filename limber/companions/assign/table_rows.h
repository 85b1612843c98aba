#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "limber/core/data/column.h"

namespace limber::assign {

/// One row of a table while it is read. Whatever is wrong with it ends in an InputError that names
/// the file, the row and the column.
class TableRow {
 public:
  TableRow(const std::vector<ColumnView>& views, const std::vector<std::string>& columns,
           const std::filesystem::path& file, std::int64_t index, std::int64_t number)
      : views_(views), columns_(columns), file_(file), index_(index), number_(number) {}

  bool is_missing(std::size_t column) const { return views_[column].is_null(index_); }
  /// The id in `column`, good until the next call on the same column.
  Key key(std::size_t column) const;
  /// A finite number.
  double finite(std::size_t column) const;
  /// A whole number of at least 0.
  std::int32_t count(std::size_t column) const;
  [[noreturn]] void fail(std::size_t column, const std::string& what) const;

 private:
  const std::vector<ColumnView>& views_;
  const std::vector<std::string>& columns_;
  const std::filesystem::path& file_;
  std::int64_t index_, number_;
};

/// Reads the files that `pattern` names (CSV, CSV.gz, Parquet; a file, a folder or a glob) row by
/// row, with progress. Throws an Error when a signal asks to stop.
void read_table(const std::string& pattern, const std::vector<std::string>& columns,
                const std::function<void(const TableRow&)>& row);

/// A key as text, as vocabularies know it.
std::string text_of(const Key& key);

}  // namespace limber::assign
