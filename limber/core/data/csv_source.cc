#include <arrow/csv/api.h>
#include <arrow/csv/parser.h>
#include <arrow/io/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <optional>

#include "limber/core/base/error.h"
#include "limber/core/data/table_source.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr std::int32_t kBlockBytes = 4 << 20;
constexpr std::int64_t kHeaderBytes = 1 << 18;

/// A text file whose position on the disk can be asked for, compressed or not.
struct TextFile {
  explicit TextFile(const fs::path& path) {
    auto opened = arrow::io::ReadableFile::Open(path.string());
    check_read(opened.status(), path);
    file = *opened;
    const auto file_size = file->GetSize();
    check_read(file_size.status(), path);
    size = *file_size;
    stream = file;
    if (!path.filename().string().ends_with(".gz")) return;
    auto codec = arrow::util::Codec::Create(arrow::Compression::GZIP);
    check_read(codec.status(), path);
    gzip = std::move(*codec);
    auto unpacked = arrow::io::CompressedInputStream::Make(gzip.get(), file);
    check_read(unpacked.status(), path);
    stream = *unpacked;
  }

  std::unique_ptr<arrow::util::Codec> gzip;
  std::shared_ptr<arrow::io::ReadableFile> file;
  std::shared_ptr<arrow::io::InputStream> stream;
  std::int64_t size = 0;
};

struct Header {
  std::vector<std::string> names;
  bool is_whole_file = false;  ///< not even a line end follows
};

arrow::csv::ParseOptions parse_options() {
  auto options = arrow::csv::ParseOptions::Defaults();
  options.newlines_in_values = true;
  return options;
}

Header read_header(const fs::path& path) {
  const TextFile text(path);
  const auto buffer = text.stream->Read(kHeaderBytes);
  check_read(buffer.status(), path);
  const std::int64_t size = (*buffer)->size();
  const auto start = arrow::util::SkipUTF8BOM((*buffer)->data(), size);
  check_read(start.status(), path);
  const std::string_view bytes(reinterpret_cast<const char*>(*start),
                               static_cast<std::size_t>((*buffer)->data() + size - *start));
  if (bytes.find_first_not_of("\r\n") == std::string_view::npos) {
    throw InputError("{}: is empty; the first line must name the columns", path.string());
  }

  Header header;
  std::uint32_t parsed = 0;
  arrow::csv::BlockParser parser(parse_options(), -1, -1, 1);
  const bool has_line_end = parser.Parse(bytes, &parsed).ok() && parser.num_rows() == 1;
  const auto collect = [&](const arrow::csv::BlockParser& rows) {
    check_read(rows.VisitLastRow([&](const std::uint8_t* data, std::uint32_t length, bool) {
      header.names.emplace_back(reinterpret_cast<const char*>(data), length);
      return arrow::Status::OK();
    }),
               path);
    check_names(header.names, path);
  };
  if (has_line_end) {
    collect(parser);
    return header;
  }
  if (size == kHeaderBytes) {
    throw InputError("{}: the line that names the columns is longer than {} KiB", path.string(),
                     kHeaderBytes >> 10);
  }
  arrow::csv::BlockParser last(parse_options(), -1, -1, 1);
  check_read(last.ParseFinal(bytes, &parsed), path);
  collect(last);
  header.is_whole_file = true;
  return header;
}

class CsvSource : public TableSource {
 public:
  CsvSource(const fs::path& path, const std::vector<std::string>& columns, bool skip_bad_rows)
      : path_(path), text_(path) {
    const Header header = read_header(path);
    check_columns(columns, header.names, path);
    if (header.is_whole_file) return;

    auto read = arrow::csv::ReadOptions::Defaults();
    read.block_size = kBlockBytes;
    read.use_threads = false;  // Arrow numbers invalid rows only then.
    auto parse = parse_options();
    parse.invalid_row_handler = [this, skip_bad_rows](const arrow::csv::InvalidRow& row) {
      const std::int64_t number = row.number - 1;  // Arrow counts the header too.
      if (skip_bad_rows) {
        bad_rows_.push_back(number);
        return arrow::csv::InvalidRowResult::Skip;
      }
      complaint_ =
          fmt::format("{}: row {}: {} column{}, expected {}", path_.string(), number,
                      row.actual_columns, row.actual_columns == 1 ? "" : "s", row.expected_columns);
      return arrow::csv::InvalidRowResult::Error;
    };
    auto convert = arrow::csv::ConvertOptions::Defaults();
    convert.check_utf8 = false;  // TableReader checks, and can name the row.
    convert.null_values = {""};
    convert.strings_can_be_null = true;
    for (const std::string& name : columns) {
      if (convert.column_types.emplace(name, arrow::utf8()).second) {
        convert.include_columns.push_back(name);
      }
    }
    auto reader = arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), text_.stream,
                                                    read, parse, convert);
    check(reader.status());
    reader_ = *reader;
    for (const std::string& name : columns) {
      order_.push_back(static_cast<int>(
          std::find(convert.include_columns.begin(), convert.include_columns.end(), name) -
          convert.include_columns.begin()));
    }
  }

  bool next(Chunk& chunk) override {
    chunk.batch.reset();
    if (reader_ != nullptr) check(reader_->ReadNext(&chunk.batch));
    const bool more = chunk.batch != nullptr;
    if (more) {
      auto ordered = chunk.batch->SelectColumns(order_);
      check(ordered.status());
      chunk.batch = *ordered;
    }
    place(chunk, more ? chunk.batch->num_rows() : 0, !more);
    return more;
  }

  double share_done() const override {
    const auto position = text_.file->Tell();
    return position.ok() && text_.size > 0
               ? static_cast<double>(*position) / static_cast<double>(text_.size)
               : 1.0;
  }

 private:
  void check(const arrow::Status& status) const {
    if (!status.ok() && !complaint_.empty()) throw InputError(complaint_);
    check_read(status, path_);
  }

  /// Numbers `rows` good rows, the bad ones between them counted in.
  void place(Chunk& chunk, std::int64_t rows, bool is_end) {
    chunk.first_row = next_row_;
    chunk.left_out.clear();
    std::size_t taken = 0;
    while (taken < bad_rows_.size() && (is_end || bad_rows_[taken] < next_row_ + rows)) {
      chunk.left_out.push_back(bad_rows_[taken++]);
      ++next_row_;
    }
    bad_rows_.erase(bad_rows_.begin(), bad_rows_.begin() + static_cast<std::ptrdiff_t>(taken));
    next_row_ += rows;
  }

  fs::path path_;
  TextFile text_;
  std::shared_ptr<arrow::csv::StreamingReader> reader_;
  std::vector<int> order_;
  std::vector<std::int64_t> bad_rows_;  ///< skipped by Arrow, not yet handed on
  std::string complaint_;
  std::int64_t next_row_ = 1;
};

}  // namespace

std::unique_ptr<TableSource> open_csv(const fs::path& path, const std::vector<std::string>& columns,
                                      bool skip_bad_rows) {
  return std::make_unique<CsvSource>(path, columns, skip_bad_rows);
}

std::vector<std::string> csv_column_names(const fs::path& path) {
  return read_header(path).names;
}

}  // namespace limber
