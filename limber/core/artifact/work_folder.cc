#include "limber/core/artifact/work_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <system_error>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = ".writing-";

void create_folders_durably(const fs::path& folder) {
  std::error_code code;
  if (fs::is_directory(folder, code)) return;
  const fs::path parent = folder.parent_path();
  if (!parent.empty() && parent != folder) create_folders_durably(parent);
  fs::create_directory(folder, code);
  if (code) throw Error("{}: cannot be created: {}", folder.string(), code.message());
  sync_folder(parent.empty() ? fs::path(".") : parent);
}

int open_folder(const fs::path& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool is_open_folder(int descriptor, const fs::path& folder) {
  struct stat by_path {
  }, by_descriptor{};
  return ::stat(folder.c_str(), &by_path) == 0 && ::fstat(descriptor, &by_descriptor) == 0 &&
         by_path.st_ino == by_descriptor.st_ino && by_path.st_dev == by_descriptor.st_dev;
}

/// Tidying: whatever cannot be removed today is left to the next writer.
void remove_dead_folders(const fs::path& parent) {
  std::error_code code;
  fs::directory_iterator entry(parent, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (!entry->path().filename().string().starts_with(kPrefix)) continue;
    const int descriptor = open_folder(entry->path());
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
      std::error_code ignored;
      fs::remove_all(entry->path(), ignored);
    }
    ::close(descriptor);
  }
}

int rename_unless_taken(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  // Some network file systems lack the flag. There, rename itself refuses a folder that is not
  // empty, and a version never is.
  if (errno != EINVAL && errno != ENOSYS) return -1;
  return ::rename(from.c_str(), to.c_str());
}

}  // namespace

WorkFolder::WorkFolder(const fs::path& parent) : parent_(parent) {
  create_folders_durably(parent_);
  remove_dead_folders(parent_);
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    path_ = parent_ / fmt::format("{}{}-{:08x}", kPrefix, ::getpid(), random());
    // Not mkdtemp: its mode would keep a published model from every other user.
    if (::mkdir(path_.c_str(), 0777) != 0) {
      if (errno == EEXIST) continue;
      throw Error("{}: cannot be created: {}", path_.string(), std::strerror(errno));
    }
    lock_ = open_folder(path_);
    // A file system without locks is worked in all the same; nobody can tidy up there, either.
    const bool locked =
        lock_ >= 0 && (::flock(lock_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
    // Another writer may have taken the new folder for a dead one before it was locked.
    if (locked && is_open_folder(lock_, path_)) return;
    if (lock_ >= 0) ::close(lock_);
  }
  throw Error("{}: no folder to work in can be created inside", parent_.string());
}

WorkFolder::~WorkFolder() {
  if (!renamed_) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ::close(lock_);
}

bool WorkFolder::rename_to(const fs::path& name) {
  const fs::path destination = parent_ / name;
  if (rename_unless_taken(path_, destination) != 0) {
    if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR) return false;
    throw Error("{}: cannot be renamed to {}: {}", path_.string(), destination.string(),
                std::strerror(errno));
  }
  renamed_ = true;
  try {
    sync_folder(parent_);
  } catch (const Error&) {
    renamed_ = ::rename(destination.c_str(), path_.c_str()) != 0;
    throw;
  }
  return true;
}

}  // namespace limber
