#pragma once

#include <rocksdb/db.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "limber/serving/store/member_store.h"
#include "limber/serving/store/rocksdb_layout.h"

namespace limber {

/// A store's folder, opened: the database and its families. Closes both at destruction.
class RocksdbFolder {
 public:
  /// Makes the folder where there is none. Throws InputError that names the folder and the remedy:
  /// no store but something else, in use, damaged, of a newer format.
  RocksdbFolder(std::filesystem::path folder, const StoreOptions& options);
  ~RocksdbFolder();
  RocksdbFolder(const RocksdbFolder&) = delete;
  RocksdbFolder& operator=(const RocksdbFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  rocksdb::DB& database() const { return *database_; }
  rocksdb::ColumnFamilyHandle* family(rocksdb_layout::Family family) const {
    return families_[family];
  }

  /// Throws Error that names the folder and what reading or writing it ended with, unless `status`
  /// is OK.
  void check(const rocksdb::Status& status, const char* what) const;
  /// Throws Error unless a megabyte can be written into the folder.
  void check_room() const;

 private:
  void check_contents() const;
  void check_format();
  [[noreturn]] void fail_to_open(const rocksdb::Status& status) const;

  std::filesystem::path path_;
  std::vector<std::unique_ptr<rocksdb_layout::ExpiryFilter>> filters_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> database_;
};

}  // namespace limber
