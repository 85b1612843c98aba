#include "limber/core/base/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "limber/core/base/error.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

bool is_data_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".csv") || name.ends_with(".csv.gz") || name.ends_with(".parquet") ||
         (name.find(".parquet.") != std::string::npos && name.find(".tmp") == std::string::npos);
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code code;
  if (fs::is_directory(path, code)) {
    throw InputError("{}: is a folder, expected a file", path.string());
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw InputError("{}: cannot be read: {}", path.string(), std::strerror(errno));
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  if (stream.bad()) throw InputError("{}: cannot be read to its end", path.string());
  return std::move(bytes).str();
}

void write_file_durable(const fs::path& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) {
    throw Error("{}: cannot be written: {}", path.string(), std::strerror(errno));
  }
  const auto fail = [&](const char* what) {
    const int reason = errno;
    ::unlink(path.c_str());
    throw Error("{}: {}: {}", path.string(), what, std::strerror(reason));
  };
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0) {
      if (errno == EINTR) continue;
      fail("cannot be written");
    }
    done += static_cast<std::size_t>(wrote);
  }
  if (::fsync(file.get()) != 0) fail("cannot be flushed to disk");
}

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = path.string() + ".tmp." + std::to_string(::getpid());
  write_file_durable(temporary, bytes);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw Error("{}: cannot be replaced: {}", path.string(), std::strerror(reason));
  }
  sync_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void sync_folder(const fs::path& folder) {
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0 || (::fsync(handle.get()) != 0 && errno != EINVAL)) {
    throw Error("{}: cannot be flushed to disk: {}", folder.string(), std::strerror(errno));
  }
}

std::vector<fs::path> expand_paths(std::span<const std::string> patterns) {
  std::vector<fs::path> found;
  for (const std::string& pattern : patterns) {
    const std::size_t before = found.size();
    std::error_code code;
    if (fs::is_directory(pattern, code)) {
      for (const auto& entry : fs::directory_iterator(pattern)) {
        if (entry.is_regular_file() && is_data_file(entry.path())) found.push_back(entry.path());
      }
      if (found.size() == before) {
        throw InputError("{}: the folder holds no .csv, .csv.gz or .parquet file", pattern);
      }
    } else if (fs::exists(pattern, code)) {
      // Before globbing: a name may hold the glob's own characters.
      found.emplace_back(pattern);
    } else {
      glob_t matches{};
      if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
        for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
          if (!fs::is_directory(matches.gl_pathv[i], code)) found.emplace_back(matches.gl_pathv[i]);
        }
      }
      ::globfree(&matches);
      if (found.size() == before) {
        throw InputError("{}: no such file{}", pattern,
                         fs::path(pattern).is_absolute()
                             ? ""
                             : fmt::format(" (from {})", fs::current_path(code).string()));
      }
    }
    std::sort(found.begin() + static_cast<std::ptrdiff_t>(before), found.end());
  }
  // Two patterns that overlap must not count a file twice.
  std::set<fs::path> seen;
  std::erase_if(found, [&](const fs::path& path) { return !seen.insert(path).second; });
  return found;
}

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) {
    throw InputError("TMPDIR: {}; it must name a folder for temporary files", error.message());
  }
  std::string pattern = (parent / "limber-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw Error("{}: cannot be created: {}", pattern, std::strerror(errno));
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

MappedFile MappedFile::create(const fs::path& path, std::size_t size) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) throw Error("{}: cannot be created: {}", path.string(), std::strerror(errno));
  MappedFile mapped;
  mapped.size_ = size;
  if (size == 0) return mapped;
  // Reserving the blocks now turns a full disk into an error here, not a SIGBUS on a later store.
  if (const int reason = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size)); reason != 0) {
    ::unlink(path.c_str());
    throw Error("{}: cannot reserve {} bytes: {}", path.string(), size, std::strerror(reason));
  }
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED)
    throw Error("{}: cannot be mapped: {}", path.string(), std::strerror(errno));
  mapped.data_ = static_cast<std::byte*>(data);
  return mapped;
}

MappedFile MappedFile::open(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    throw InputError("{}: cannot be read: {}", path.string(), std::strerror(errno));
  }
  MappedFile mapped;
  mapped.size_ = static_cast<std::size_t>(status.st_size);
  if (mapped.size_ == 0) return mapped;
  void* data = ::mmap(nullptr, mapped.size_, PROT_READ, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED)
    throw Error("{}: cannot be mapped: {}", path.string(), std::strerror(errno));
  mapped.data_ = static_cast<std::byte*>(data);
  return mapped;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    if (data_ != nullptr) ::munmap(data_, size_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void MappedFile::release_pages() const {
  if (data_ != nullptr) ::madvise(data_, size_, MADV_DONTNEED);
}

}  // namespace limber
