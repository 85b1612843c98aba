#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>
#include <numeric>

#include "limber/core/base/error.h"
#include "limber/core/data/table_source.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// Arrow mostly reports damage as a Status, but what it trusts in a file's metadata can still
/// throw.
template <class Function>
auto guarded(const fs::path& path, Function&& function) {
  try {
    return function();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    check_read(arrow::Status::IOError(error.what()), path);
    throw;
  }
}

std::unique_ptr<parquet::arrow::FileReader> open_reader(const fs::path& path) {
  auto file = arrow::io::ReadableFile::Open(path.string());
  check_read(file.status(), path);
  // With buffered streams and without pre-buffering a row group is never in memory as a whole.
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.enable_buffered_stream();
  properties.set_buffer_size(1 << 20);
  properties.set_page_checksum_verification(true);
  parquet::ArrowReaderProperties arrow_properties;
  arrow_properties.set_batch_size(kBatchRows);
  arrow_properties.set_pre_buffer(false);
  arrow_properties.set_use_threads(true);

  parquet::arrow::FileReaderBuilder builder;
  check_read(builder.Open(*file, properties), path);
  builder.properties(arrow_properties);
  auto reader = builder.Build();
  check_read(reader.status(), path);
  return std::move(*reader);
}

std::vector<std::string> top_level_names(const parquet::arrow::FileReader& reader,
                                         const fs::path& path) {
  std::vector<std::string> names;
  const auto* schema = reader.parquet_reader()->metadata()->schema();
  for (int i = 0; i < schema->group_node()->field_count(); ++i) {
    names.push_back(schema->group_node()->field(i)->name());
  }
  check_names(names, path);
  return names;
}

class ParquetSource : public TableSource {
 public:
  ParquetSource(const fs::path& path, const std::vector<std::string>& columns,
                std::optional<std::pair<int, int>> groups)
      : path_(path), columns_(columns) {
    guarded(path_, [&] { open(groups); });
  }

  bool next(Chunk& chunk) override {
    return guarded(path_, [&] {
      std::shared_ptr<arrow::RecordBatch> batch;
      check_read(batches_->ReadNext(&batch), path_);
      chunk.left_out.clear();
      chunk.first_row = next_row_;
      chunk.batch.reset();
      if (batch == nullptr) return false;
      auto ordered = batch->SelectColumns(order_);
      check_read(ordered.status(), path_);
      chunk.batch = *ordered;
      next_row_ += batch->num_rows();
      return true;
    });
  }

  double share_done() const override {
    return rows_ == 0 ? 1.0
                      : static_cast<double>(next_row_ - first_row_) / static_cast<double>(rows_);
  }

 private:
  void open(std::optional<std::pair<int, int>> chosen) {
    reader_ = open_reader(path_);
    const std::vector<std::string> present = top_level_names(*reader_, path_);
    check_columns(columns_, present, path_);

    // A list or struct has leaves of its own; those of a column are the ones below its root.
    const auto metadata = reader_->parquet_reader()->metadata();
    std::vector<int> leaves;
    for (int leaf = 0; leaf < metadata->num_columns(); ++leaf) {
      const std::string& root = metadata->schema()->GetColumnRoot(leaf)->name();
      if (std::find(columns_.begin(), columns_.end(), root) != columns_.end()) {
        leaves.push_back(leaf);
      }
    }
    const auto [first, end] = chosen.value_or(std::pair(0, metadata->num_row_groups()));
    std::vector<int> groups(static_cast<std::size_t>(end - first));
    std::iota(groups.begin(), groups.end(), first);
    for (int g = 0; g < first; ++g) first_row_ += metadata->RowGroup(g)->num_rows();
    for (const int g : groups) rows_ += metadata->RowGroup(g)->num_rows();
    next_row_ = first_row_;
    auto batches = reader_->GetRecordBatchReader(groups, leaves);
    check_read(batches.status(), path_);
    batches_ = std::move(*batches);
    for (const std::string& name : columns_) {
      order_.push_back(batches_->schema()->GetFieldIndex(name));
    }
  }

  fs::path path_;
  std::vector<std::string> columns_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::vector<int> order_;
  std::int64_t rows_ = 0;
  std::int64_t first_row_ = 1, next_row_ = 1;
};

}  // namespace

std::unique_ptr<TableSource> open_parquet(const fs::path& path,
                                          const std::vector<std::string>& columns,
                                          std::optional<std::pair<int, int>> groups) {
  return std::make_unique<ParquetSource>(path, columns, groups);
}

std::vector<double> parquet_group_bytes(const fs::path& path) {
  return guarded(path, [&] {
    const auto metadata = open_reader(path)->parquet_reader()->metadata();
    std::vector<double> bytes;
    for (int g = 0; g < metadata->num_row_groups(); ++g) {
      // Not every writer says how many bytes there are.
      bytes.push_back(static_cast<double>(
          std::max(metadata->RowGroup(g)->total_byte_size(), metadata->RowGroup(g)->num_rows())));
    }
    return bytes;
  });
}

std::vector<std::string> parquet_column_names(const fs::path& path) {
  return guarded(path, [&] { return top_level_names(*open_reader(path), path); });
}

}  // namespace limber
