#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace limber {

/// Writes one CSV or Parquet (zstd, one row group a batch) file, batch by batch. The file appears
/// under its name when finish() has returned; until then, and after a failure, it does not exist
/// there.
class TableWriter {
 public:
  /// The format is that of the name: .parquet (which keeps the schema's metadata), else CSV. Throws
  /// Error when it cannot be created.
  TableWriter(const std::filesystem::path& path, std::shared_ptr<arrow::Schema> schema);
  ~TableWriter();
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  /// Throws Error (disk full).
  void write(const arrow::RecordBatch& batch);
  void finish();

 private:
  struct Sink;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace limber
