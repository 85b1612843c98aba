#include "limber/core/data/reader.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/data/table_source.h"
#include "limber/core/data/text_check.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

double bytes_of(const fs::path& path) {
  std::error_code code;
  if (fs::is_directory(path, code)) {
    throw InputError("{}: is a folder, expected a file", path.string());
  }
  const std::uintmax_t size = fs::file_size(path, code);
  if (code) throw InputError("{}: cannot be read: {}", path.string(), code.message());
  return static_cast<double>(size);
}

/// Leaves rows with bad text out of the chunk, or complains of the first.
void check_text(Chunk& chunk, bool skip_bad_rows) {
  std::vector<std::int64_t> bad;
  for (int column = 0; column < chunk.batch->num_columns(); ++column) {
    const std::vector<std::int64_t> rows = rows_with_bad_text(*chunk.batch->column(column));
    if (!rows.empty() && !skip_bad_rows) {
      throw InputError("{}: row {}: column '{}': the text is not UTF-8", chunk.file.string(),
                       chunk.row(rows.front()), chunk.batch->schema()->field(column)->name());
    }
    std::vector<std::int64_t> merged;
    std::set_union(bad.begin(), bad.end(), rows.begin(), rows.end(), std::back_inserter(merged));
    bad = std::move(merged);
  }
  if (bad.empty()) return;
  std::vector<std::int64_t> numbers;
  for (const std::int64_t row : bad) numbers.push_back(chunk.row(row));
  std::vector<std::int64_t> left_out;
  std::merge(chunk.left_out.begin(), chunk.left_out.end(), numbers.begin(), numbers.end(),
             std::back_inserter(left_out));
  chunk.left_out = std::move(left_out);
  chunk.batch = without_rows(chunk.batch, bad);
}

}  // namespace

std::int64_t Chunk::row(std::int64_t i) const {
  // The k-th bad row has (left_out[k] - k - first_row) good ones before it.
  std::size_t low = 0;
  std::size_t high = left_out.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (left_out[middle] - static_cast<std::int64_t>(middle) - first_row <= i) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return first_row + i + static_cast<std::int64_t>(low);
}

TableReader::TableReader(std::vector<fs::path> files, std::vector<std::string> columns,
                         bool skip_bad_rows, ReadShare share)
    : files_(std::move(files)), columns_(std::move(columns)), skip_bad_rows_(skip_bad_rows) {
  if (columns_.empty() && !files_.empty()) columns_ = column_names(files_);
  if (share.count > 1) take(share);
  bytes_before_.push_back(0);
  for (const fs::path& file : files_) {
    bytes_before_.push_back(bytes_before_.back() + bytes_of(file));
  }
}

TableReader::~TableReader() = default;

void TableReader::take(ReadShare share) {
  std::vector<std::vector<double>> pieces;  // bytes of what is not cut, by file
  double all = 0;
  for (const fs::path& file : files_) {
    const double bytes = bytes_of(file);
    pieces.push_back(is_parquet(file) ? parquet_group_bytes(file) : std::vector<double>{bytes});
    all += std::accumulate(pieces.back().begin(), pieces.back().end(), 0.0);
  }
  // A piece belongs to the share that its middle is in.
  double before = 0;
  const auto is_ours = [&](double bytes) {
    const double middle = before + bytes / 2;
    before += bytes;
    const auto owner =
        all <= 0 ? std::int64_t{0}
                 : static_cast<std::int64_t>(middle / all * static_cast<double>(share.count));
    return std::min(owner, share.count - 1) == share.index;
  };
  std::vector<fs::path> ours;
  for (std::size_t f = 0; f < files_.size(); ++f) {
    std::pair<int, int> groups(0, 0);
    for (int g = 0; g < static_cast<int>(pieces[f].size()); ++g) {
      if (!is_ours(pieces[f][static_cast<std::size_t>(g)])) continue;
      if (groups.second == 0) groups.first = g;
      groups.second = g + 1;
    }
    if (groups.second == 0) continue;
    ours.push_back(files_[f]);
    groups_.push_back(groups);
  }
  files_ = std::move(ours);
}

void TableReader::open_next_file() {
  const std::size_t f = next_file_++;
  const fs::path& file = files_[f];
  if (!is_parquet(file)) {
    source_ = open_csv(file, columns_, skip_bad_rows_);
  } else if (groups_.empty()) {
    source_ = open_parquet(file, columns_);
  } else {
    source_ = open_parquet(file, columns_, groups_[f]);
  }
}

bool TableReader::next(Chunk& chunk) {
  for (;;) {
    if (source_ == nullptr) {
      if (next_file_ == files_.size()) return false;
      open_next_file();
    }
    chunk.file = files_[next_file_ - 1];
    const bool more = source_->next(chunk);
    if (more) check_text(chunk, skip_bad_rows_);
    bad_rows_ += static_cast<std::int64_t>(chunk.left_out.size());
    if (!more) {
      source_.reset();
    } else if (chunk.batch->num_rows() > 0) {
      return true;
    }
  }
}

double TableReader::share_done() const {
  const double total = bytes_before_.back();
  if (total == 0 || (source_ == nullptr && next_file_ == files_.size())) return 1;
  if (source_ == nullptr) return bytes_before_[next_file_] / total;
  const double before = bytes_before_[next_file_ - 1];
  return (before + source_->share_done() * (bytes_before_[next_file_] - before)) / total;
}

std::vector<std::string> column_names(const std::vector<fs::path>& files) {
  if (files.empty()) throw InputError("no files to read");
  bytes_of(files.front());
  return is_parquet(files.front()) ? parquet_column_names(files.front())
                                   : csv_column_names(files.front());
}

}  // namespace limber
