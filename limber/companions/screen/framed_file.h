#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/artifact/output_file.h"
#include "limber/core/base/files.h"

namespace limber::screen {

/// The frame of the two binary files of this room (models and partial statistics):
///
///     magic line, e.g. "limber-screen-model 1\n", zeros up to 64 bytes
///     sections of raw bytes, each starting at a multiple of 8
///     header: JSON, of which "sections" holds [offset, size] of each section
///     size of the header as 16 hexadecimal digits
///     XXH3-64 of all before, as 16 hexadecimal digits
///
/// The header stands at the end so that a file can be written as its sections come.
class FramedWriter {
 public:
  /// Writes beside `path` under a temporary name until finish().
  FramedWriter(std::filesystem::path path, std::string_view kind, int version);

  template <class T>
  void section(std::span<const T> values) {
    bytes(std::as_bytes(values));
  }
  void bytes(std::span<const std::byte> bytes);
  /// Adds the sections' places to `header`, flushes and renames. Throws Error (disk full).
  void finish(nlohmann::json header);

 private:
  std::filesystem::path path_, temporary_;
  OutputFile file_;
  nlohmann::json sections_ = nlohmann::json::array();
};

/// A framed file mapped and checked in full. Throws InputError, one line that begins with the path:
/// a foreign file, a newer version, damage, a file cut short.
class FramedReader {
 public:
  FramedReader(std::filesystem::path path, std::string_view kind, int newest_version);

  const nlohmann::json& header() const { return header_; }
  std::size_t sections() const { return places_.size(); }
  /// Throws InputError when section `i` is not there or holds no whole number of values.
  template <class T>
  std::span<const T> section(std::size_t i) const {
    const std::span<const std::byte> raw = bytes(i);
    if (raw.size() % sizeof(T) != 0) damaged("a section has a wrong size");
    return {reinterpret_cast<const T*>(raw.data()), raw.size() / sizeof(T)};
  }
  std::span<const std::byte> bytes(std::size_t i) const;
  const std::filesystem::path& path() const { return path_; }
  /// Lets the kernel drop this process's pages of the file.
  void release_pages() const { file_.release_pages(); }
  [[noreturn]] void damaged(std::string_view what) const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  nlohmann::json header_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places_;
};

}  // namespace limber::screen
