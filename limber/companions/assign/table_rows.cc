#include "limber/companions/assign/table_rows.h"

#include <arrow/record_batch.h>

#include <array>
#include <cmath>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/reader.h"

namespace limber::assign {

void TableRow::fail(std::size_t column, const std::string& what) const {
  throw InputError("{}: row {}, column {}: {}", file_.string(), number_, columns_[column], what);
}

Key TableRow::key(std::size_t column) const {
  if (is_missing(column)) fail(column, "is empty; fill it in or remove the row");
  try {
    return views_[column].key(index_);
  } catch (const BadValue& bad) {
    fail(column, bad.what());
  }
}

double TableRow::finite(std::size_t column) const {
  if (is_missing(column)) fail(column, "is empty; give a number or remove the row");
  try {
    const double value = views_[column].number(index_);
    if (std::isfinite(value)) return value;
  } catch (const BadValue& bad) {
    fail(column, bad.what());
  }
  fail(column, "is not a finite number");
}

std::int32_t TableRow::count(std::size_t column) const {
  const double value = finite(column);
  if (value < 0 || value > std::numeric_limits<std::int32_t>::max() || value != std::floor(value)) {
    fail(column, fmt::format("{} is not a count; give a whole number of at least 0", value));
  }
  return static_cast<std::int32_t>(value);
}

void read_table(const std::string& pattern, const std::vector<std::string>& columns,
                const std::function<void(const TableRow&)>& row) {
  TableReader reader(expand_paths(std::array{pattern}), columns, false);
  Progress progress("reading " + pattern, 0);
  for (Chunk chunk; reader.next(chunk);) {
    if (stop_requested()) throw Error("stopped while reading {}; nothing was written", pattern);
    std::vector<ColumnView> views;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      try {
        views.emplace_back(chunk.batch->column(static_cast<int>(c)));
      } catch (const BadValue& bad) {
        throw InputError("{}: column {}: {}", chunk.file.string(), columns[c], bad.what());
      }
    }
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) {
      row(TableRow(views, columns, chunk.file, i, chunk.row(i)));
    }
    progress.add(static_cast<std::uint64_t>(chunk.batch->num_rows()));
  }
}

std::string text_of(const Key& key) {
  return key.is_number ? std::to_string(key.number) : std::string(key.text);
}

}  // namespace limber::assign
