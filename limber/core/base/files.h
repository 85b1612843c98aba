#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limber {

/// Whole file as bytes. Throws InputError when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes to a temporary file beside `path`, fsyncs it and renames it over `path`: a reader sees
/// the old file or the new one, never a part. Throws Error (disk full, no permission) and leaves
/// the old file untouched.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

/// Writes all of `bytes` to a new file and fsyncs it. Throws Error, and removes the file, on
/// failure.
void write_file_durable(const std::filesystem::path& path, std::string_view bytes);

/// Makes a rename or a new file inside `folder` survive a power cut.
void sync_folder(const std::filesystem::path& folder);

/// Expands each pattern (a file, a folder, or a glob with * and ?) into the sorted files it names.
/// A folder stands for its .csv, .csv.gz, .parquet (and .parquet.*) files. Throws InputError for
/// a pattern that matches nothing.
std::vector<std::filesystem::path> expand_paths(std::span<const std::string> patterns);

/// A folder under the system's temporary folder, removed with everything in it at destruction.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Creates a file of `size` zero bytes at construction (or opens an existing one read-only with
/// `MappedFile::open`) and maps it. Large encoded tables live in such files, so that the kernel,
/// not our heap, holds them.
class MappedFile {
 public:
  MappedFile() = default;
  static MappedFile create(const std::filesystem::path& path, std::size_t size);
  static MappedFile open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  template <class T>
  std::span<T> as() {
    return {reinterpret_cast<T*>(data_), size_ / sizeof(T)};
  }
  template <class T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data_), size_ / sizeof(T)};
  }
  /// Lets the kernel drop this process's pages of the file; they are read again when touched.
  void release_pages() const;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace limber
