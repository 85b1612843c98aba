#include "limber/companions/screen/parquet_columns.h"

#include <arrow/chunked_array.h>
#include <arrow/io/file.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "limber/companions/screen/feature_source.h"
#include "limber/companions/screen/sample_labels.h"
#include "limber/core/base/error.h"
#include "limber/core/data/column.h"
#include "limber/core/data/table_source.h"

namespace limber::screen {
namespace {

/// Arrow reports most damage as a Status, but may throw for what it trusts in the metadata.
template <class Function>
auto guarded(const std::filesystem::path& path, Function&& function) {
  try {
    return function();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    check_read(arrow::Status::IOError(error.what()), path);
    throw;
  }
}

}  // namespace

ParquetColumns::ParquetColumns(const std::filesystem::path& path) : path_(path) {
  guarded(path_, [&] {
    auto file = arrow::io::ReadableFile::Open(path.string());
    check_read(file.status(), path);
    parquet::ReaderProperties properties = parquet::default_reader_properties();
    properties.set_page_checksum_verification(true);
    parquet::arrow::FileReaderBuilder builder;
    check_read(builder.Open(*file, properties), path);
    auto reader = builder.Build();
    check_read(reader.status(), path);
    reader_ = std::move(*reader);
    const auto metadata = reader_->parquet_reader()->metadata();
    rows_ = metadata->num_rows();
    const auto* const root = metadata->schema()->group_node();
    for (int i = 0; i < root->field_count(); ++i) {
      names_.push_back(root->field(i)->name());
      if (!root->field(i)->is_primitive()) {
        throw InputError("{}: column {}: is a list or a struct, expected one value a row",
                         path.string(), names_.back());
      }
    }
    check_names(names_, path);
  });
}

ParquetColumns::~ParquetColumns() = default;

template <class Take>
void ParquetColumns::each_value(int column, Take&& take) {
  guarded(path_, [&] {
    std::shared_ptr<arrow::ChunkedArray> values;
    check_read(reader_->ReadColumn(column, &values), path_);
    std::int64_t row = 0;
    try {
      for (const auto& chunk : values->chunks()) {
        const ColumnView view(chunk);
        for (std::int64_t i = 0; i < view.size(); ++i) take(view, i, row++);
      }
    } catch (const BadValue& bad) {
      throw InputError("{}: row {}: column {}: {}", path_.string(), row,
                       names_[static_cast<std::size_t>(column)], bad.what());
    }
    if (row != rows_) {
      throw InputError("{}: column {}: {} rows, expected {}", path_.string(),
                       names_[static_cast<std::size_t>(column)], row, rows_);
    }
  });
}

std::vector<std::string> ParquetColumns::texts(int column) {
  std::vector<std::string> result;
  each_value(column, [&](const ColumnView& view, std::int64_t i, std::int64_t) {
    result.push_back(view.is_null(i) ? "" : text_of(view.key(i)));
  });
  return result;
}

void ParquetColumns::numbers(int column, std::span<double> values) {
  std::string why;
  each_value(column, [&](const ColumnView& view, std::int64_t i, std::int64_t row) {
    const double value = view.number(i);
    if (!check_value(value, why)) throw BadValue(why);
    if (row < rows_) values[static_cast<std::size_t>(row)] = value;
  });
}

}  // namespace limber::screen
