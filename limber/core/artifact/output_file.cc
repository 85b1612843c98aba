#include "limber/core/artifact/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "limber/core/base/error.h"

namespace limber {

OutputFile::OutputFile(std::filesystem::path path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) fail("cannot be created");
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

void OutputFile::write(std::span<const std::byte> bytes) {
  checksum_.add(bytes);
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
    if (wrote < 0) {
      if (errno == EINTR) continue;
      fail("cannot be written");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    size_ += static_cast<std::uint64_t>(wrote);
  }
}

void OutputFile::finish() {
  if (::fsync(descriptor_) != 0) fail("cannot be flushed to disk");
  // Some file systems report a full disk only here. The number is free whatever close answers.
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    const int reason = errno;
    ::unlink(path_.c_str());
    errno = reason;
    fail("cannot be closed");
  }
}

void OutputFile::fail(std::string_view what) const {
  throw Error("{}: {}: {}", path_.string(), what, std::strerror(errno));
}

}  // namespace limber
