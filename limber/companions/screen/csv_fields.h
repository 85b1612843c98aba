#pragma once

#include <arrow/io/api.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace arrow::util {
class Codec;
}

namespace limber::screen {

/// Reads a CSV or CSV.gz file field by field, so that a row may be as long as it likes: expression
/// tables have rows of tens of megabytes. RFC 4180: commas, double quotes, \n or \r\n; a byte order
/// mark and blank lines are passed over. Throws InputError (file and line) for a quote never
/// closed, damaged compression, a field longer than 1 MiB.
class CsvFields {
 public:
  explicit CsvFields(std::filesystem::path path);
  ~CsvFields();

  /// Goes to the start of the next row, past what is left of this one. False at the end.
  bool next_row();
  /// The next field of this row, good until the next call. False at the row's end.
  bool next_field(std::string_view& field);

  /// Number of the current row; the first one of the file (the header) is row 0.
  std::int64_t row() const { return row_; }
  /// Share of the file read so far, in [0, 1].
  double share_done() const;

 private:
  bool fill();
  int peek() {
    return position_ < size_ || fill() ? static_cast<unsigned char>(data_[position_]) : -1;
  }
  [[noreturn]] void fail(std::string_view what) const;

  std::filesystem::path path_;
  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  std::unique_ptr<arrow::util::Codec> gzip_;
  std::shared_ptr<arrow::io::InputStream> stream_;
  std::string buffer_;
  const char* data_ = nullptr;
  std::size_t position_ = 0, size_ = 0;
  std::int64_t file_size_ = 0;
  std::string field_;
  std::int64_t row_ = -1;
  bool in_row_ = false, more_fields_ = false;
};

}  // namespace limber::screen
