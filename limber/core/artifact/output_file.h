#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "limber/core/artifact/checksum.h"

namespace limber {

/// A new file written piece by piece, so that a large table never has to be joined in memory.
/// Unless `finish` succeeded, the file is removed at destruction.
class OutputFile {
 public:
  /// Throws Error when the file exists or cannot be created.
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Throws Error, e.g. when the disk is full.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Flushes to disk and closes. Throws Error.
  void finish();

  std::uint64_t size() const { return size_; }
  /// XXH3-64 of what was written so far.
  std::string checksum() const { return checksum_.hex(); }

 private:
  [[noreturn]] void fail(std::string_view what) const;

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
  Checksum checksum_;
};

}  // namespace limber
