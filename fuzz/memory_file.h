#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "fuzz/target.h"

namespace limber::fuzz {

/// A file that lies in memory and has a path, for readers that open paths.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("limber-fuzz", MFD_CLOEXEC)) {
    expect(descriptor_ >= 0, "the kernel gives a file in memory");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// The file holds `bytes` from now on.
  void fill(std::string_view bytes) const {
    const auto size = static_cast<ssize_t>(bytes.size());
    expect(::ftruncate(descriptor_, size) == 0, "a file in memory can be resized");
    expect(::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == size,
           "a file in memory can be written");
  }

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace limber::fuzz
