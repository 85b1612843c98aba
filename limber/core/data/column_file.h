#pragma once

#include <filesystem>
#include <fstream>
#include <span>
#include <type_traits>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {

/// A column of plain values that grows at its end on disk and is then mapped, so that the size of
/// the data never shows in our heap.
template <class T>
class ColumnFile {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  ColumnFile() = default;
  explicit ColumnFile(std::filesystem::path path)
      : path_(std::move(path)), stream_(path_, std::ios::binary | std::ios::trunc) {
    if (!stream_) throw Error("{}: cannot be created", path_.string());
    pending_.reserve(block);
  }

  void append(T value) {
    pending_.push_back(value);
    ++size_;
    if (pending_.size() == block) flush();
  }
  void append(std::span<const T> values) {
    for (const T value : values) append(value);
  }
  std::int64_t size() const { return size_; }

  /// Ends the writing and maps what was written.
  MappedFile finish() {
    flush();
    stream_.close();
    if (!stream_) throw Error("{}: cannot be written: is the disk full?", path_.string());
    return MappedFile::open(path_);
  }

 private:
  static constexpr std::size_t block = 1 << 16;

  void flush() {
    stream_.write(reinterpret_cast<const char*>(pending_.data()),
                  static_cast<std::streamsize>(pending_.size() * sizeof(T)));
    if (!stream_) throw Error("{}: cannot be written: is the disk full?", path_.string());
    pending_.clear();
  }

  std::filesystem::path path_;
  std::ofstream stream_;
  std::vector<T> pending_;
  std::int64_t size_ = 0;
};

}  // namespace limber
