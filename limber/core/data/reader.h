#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace arrow {
class RecordBatch;
}

namespace limber {

/// Consecutive rows of one file.
struct Chunk {
  /// The columns asked for, in the order asked for. Every column of a CSV file is text (utf8), in
  /// which only the empty string is null; those of a Parquet file have the file's types.
  std::shared_ptr<arrow::RecordBatch> batch;
  std::filesystem::path file;
  /// Number of batch row 0 among the file's data rows; the row after the header is row 1. Blank
  /// lines of a CSV file are no rows.
  std::int64_t first_row = 1;
  /// Ascending numbers of bad rows, from first_row on, that were left out of the batch.
  std::vector<std::int64_t> left_out;

  /// Number, within the file, of row `i` of the batch: the one to name in a message.
  std::int64_t row(std::int64_t i) const;
};

class TableSource;

/// One of `count` shares of the rows of a list of files, in their order: a run of row groups of
/// Parquet files and of whole CSV files, which cannot be cut without being read. Shares have about
/// the same number of bytes; each row is in one of them.
struct ReadShare {
  std::int64_t index = 0, count = 1;
};

/// Reads a list of CSV, CSV.gz and Parquet files (told apart by their names) one chunk at a time,
/// in order. Memory depends on the width of a row, not on the size of a file: CSV is read in
/// blocks of a few MiB, Parquet in batches of 65,536 rows. Text is checked to be UTF-8.
///
///     TableReader reader(files, {"member_id", "rating"}, false);
///     for (Chunk chunk; reader.next(chunk);) { ... }
///
/// Every failure is an InputError that names the file and, where there is one, the row and the
/// column: no such file, a folder, no such column (with the nearest one), damaged or cut-off
/// compression, text that is not UTF-8, a row with too many or too few columns.
class TableReader {
 public:
  /// `columns` empty: all columns of the first file. `skip_bad_rows`: rows with a wrong number of
  /// columns or with text that is not UTF-8 are counted and left out, not fatal. Rows keep the
  /// numbers that they have in their file, whichever share is read.
  TableReader(std::vector<std::filesystem::path> files, std::vector<std::string> columns,
              bool skip_bad_rows, ReadShare share = {});
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  /// False at the end of the last file. A chunk holds at least one row.
  bool next(Chunk& chunk);

  /// Rows left out so far.
  std::int64_t bad_rows() const { return bad_rows_; }
  /// In [0, 1], by bytes of the files; for progress bars.
  double share_done() const;
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  void take(ReadShare share);
  void open_next_file();

  std::vector<std::filesystem::path> files_;
  std::vector<std::string> columns_;
  bool skip_bad_rows_;
  std::vector<std::pair<int, int>> groups_;  ///< by file, first and end; empty: all of them
  std::vector<double> bytes_before_;
  std::size_t next_file_ = 0;
  std::unique_ptr<TableSource> source_;
  std::int64_t bad_rows_ = 0;
};

/// Names of the columns of the first of `files`. Throws InputError as TableReader does.
std::vector<std::string> column_names(const std::vector<std::filesystem::path>& files);

}  // namespace limber
