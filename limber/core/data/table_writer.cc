#include "limber/core/data/table_writer.h"

#include <arrow/compute/initialize.h>
#include <arrow/csv/writer.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/data/table_source.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

void check_written(const arrow::Status& status, const fs::path& path) {
  if (!status.ok()) throw Error("{}: cannot be written: {}", path.string(), status.message());
}

template <class T>
T written(arrow::Result<T> result, const fs::path& path) {
  check_written(result.status(), path);
  return std::move(result).ValueUnsafe();
}

}  // namespace

struct TableWriter::Sink {
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> parquet;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> csv;
};

TableWriter::TableWriter(const fs::path& path, std::shared_ptr<arrow::Schema> schema)
    : path_(path),
      temporary_(path.string() + ".tmp." + std::to_string(::getpid())),
      sink_(std::make_unique<Sink>()) {
  sink_->file = written(arrow::io::FileOutputStream::Open(temporary_.string()), path_);
  if (is_parquet(path_)) {
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(parquet::Compression::ZSTD)
                                ->enable_page_checksum()
                                ->build();
    sink_->parquet = written(parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(),
                                                              sink_->file, properties),
                             path_);
    if (schema->metadata() != nullptr) {
      check_written(sink_->parquet->AddKeyValueMetadata(schema->metadata()), path_);
    }
    return;
  }
  static const arrow::Status initialized = arrow::compute::Initialize();
  check_written(initialized, path_);
  auto options = arrow::csv::WriteOptions::Defaults();
  options.quoting_header = arrow::csv::QuotingStyle::None;
  sink_->csv = written(arrow::csv::MakeCSVWriter(sink_->file, schema, options), path_);
}

TableWriter::~TableWriter() {
  std::error_code ignored;
  if (sink_ != nullptr) fs::remove(temporary_, ignored);
}

void TableWriter::write(const arrow::RecordBatch& batch) {
  if (sink_->csv != nullptr) {
    check_written(sink_->csv->WriteRecordBatch(batch), path_);
    return;
  }
  check_written(sink_->parquet->NewBufferedRowGroup(), path_);
  check_written(sink_->parquet->WriteRecordBatch(batch), path_);
}

void TableWriter::finish() {
  if (sink_->csv != nullptr) check_written(sink_->csv->Close(), path_);
  if (sink_->parquet != nullptr) check_written(sink_->parquet->Close(), path_);
  check_written(sink_->file->Close(), path_);
  std::error_code code;
  fs::rename(temporary_, path_, code);
  if (code) throw Error("{}: cannot be written: {}", path_.string(), code.message());
  sink_.reset();
}

}  // namespace limber
