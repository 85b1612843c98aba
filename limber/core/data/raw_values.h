#pragma once

#include <filesystem>
#include <span>

#include "limber/core/base/files.h"
#include "limber/core/data/column_file.h"

namespace limber {

/// Values of an id feature while its source is read, in files: one a row, or a list.
template <class T>
class RawValues {
 public:
  RawValues() = default;
  /// `stem`: what the files' names begin with.
  RawValues(const std::filesystem::path& stem, bool lists)
      : stem_(stem.string()), lists_(lists), values_(stem_ + ".raw_ids") {
    if (lists) ends_ = ColumnFile<std::int64_t>(stem_ + ".raw_ends");
  }

  /// Those that another one has finished at `stem`.
  static RawValues open(const std::filesystem::path& stem, bool lists) {
    RawValues values;
    values.lists_ = lists;
    values.all_ = MappedFile::open(stem.string() + ".raw_ids");
    if (lists) values.mapped_ends_ = MappedFile::open(stem.string() + ".raw_ends");
    values.rows_ = lists ? values.ends().size() : values.all().size();
    return values;
  }

  /// The next row; without lists it has one value.
  void append(std::span<const T> row) {
    for (const T value : row) values_.append(value);
    if (lists_) ends_.append(values_.size());
    ++rows_;
  }

  /// Ends the appending. What follows is for afterwards.
  void finish() {
    all_ = values_.finish();
    if (lists_) mapped_ends_ = ends_.finish();
  }
  std::size_t rows() const { return rows_; }
  bool lists() const { return lists_; }
  std::span<const T> all() const { return all_.template as<T>(); }
  /// Where a row's values begin in all().
  std::size_t begin(std::size_t row) const {
    if (!lists_) return row;
    return row == 0 ? 0 : static_cast<std::size_t>(ends()[row - 1]);
  }
  std::size_t length(std::size_t row) const {
    return lists_ ? static_cast<std::size_t>(ends()[row]) - begin(row) : 1;
  }
  std::span<const T> row(std::size_t row) const { return all().subspan(begin(row), length(row)); }
  void remove() {
    std::filesystem::remove(stem_ + ".raw_ids");
    if (lists_) std::filesystem::remove(stem_ + ".raw_ends");
  }

 private:
  std::span<const std::int64_t> ends() const { return mapped_ends_.as<std::int64_t>(); }

  std::string stem_;
  bool lists_ = false;
  std::size_t rows_ = 0;
  ColumnFile<T> values_;
  ColumnFile<std::int64_t> ends_;  ///< where each row's values end
  MappedFile all_, mapped_ends_;
};

}  // namespace limber
