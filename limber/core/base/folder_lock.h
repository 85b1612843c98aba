#pragma once

#include <filesystem>

namespace limber {

/// Holds a folder in which only one process may work at a time, for as long as it lives. The kernel
/// drops the lock with the process, however that ends. A file system without locks is worked in all
/// the same.
class FolderLock {
 public:
  /// Creates the folder where it is missing. Throws InputError where another process, or another
  /// FolderLock of this one, holds it; Error where it cannot be made.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace limber
