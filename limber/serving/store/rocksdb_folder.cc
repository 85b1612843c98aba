#include "limber/serving/store/rocksdb_folder.h"

#include <rocksdb/cache.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/serving/store/expiry.h"
#include "limber/serving/store/rocksdb_listeners.h"

namespace limber {

namespace fs = std::filesystem;
namespace layout = rocksdb_layout;

namespace {

/// A file that RocksDB makes before CURRENT, the one that makes a folder a database.
bool is_of_unfinished_creation(const std::string& name) {
  return name.starts_with("LOG") || name == "LOCK" || name == "IDENTITY" ||
         name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") ||
         name.ends_with(".dbtmp") || name.ends_with(".log");
}

InputError damaged(const fs::path& folder, const std::string& reason) {
  return InputError(
      "{}: the store is damaged ({}); restore the folder from a backup, or move it away to begin "
      "with an empty store",
      folder.string(), reason);
}

InputError newer(const fs::path& folder, const std::string& what) {
  return InputError("{}: the store was written by a newer Limber ({}); update this one",
                    folder.string(), what);
}

}  // namespace

RocksdbFolder::RocksdbFolder(fs::path folder, const StoreOptions& options)
    : path_(std::move(folder)) {
  check_contents();

  const Lifetimes lifetimes(options);
  const auto filter = [&](std::int64_t lifetime_ms) -> const layout::ExpiryFilter* {
    if (lifetime_ms == 0) return nullptr;
    filters_.push_back(std::make_unique<layout::ExpiryFilter>(lifetime_ms, options.now_ms));
    return filters_.back().get();
  };
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes);
  const std::array filters = {filter(0), filter(lifetimes.head_ms),
                              filter(lifetimes.interaction_ms), filter(lifetimes.interaction_ms),
                              filter(lifetimes.state_ms)};
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < layout::kFamilies.size(); ++i) {
    descriptors.emplace_back(
        layout::kFamilies[i],
        layout::family_options(static_cast<layout::Family>(i), options, cache, filters[i]));
  }
  rocksdb::DBOptions database_options = layout::database_options(options);
  database_options.info_log = std::make_shared<RocksdbLog>(path_.string());
  database_options.listeners.push_back(std::make_shared<NoSelfRepair>());
  rocksdb::DB* database = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options, path_.string(), descriptors, &families_, &database);
  if (!status.ok()) fail_to_open(status);
  database_.reset(database);
  try {
    check_format();
  } catch (...) {
    for (auto* handle : families_) database_->DestroyColumnFamilyHandle(handle);
    throw;
  }
}

RocksdbFolder::~RocksdbFolder() {
  for (auto* handle : families_) database_->DestroyColumnFamilyHandle(handle);
}

void RocksdbFolder::check(const rocksdb::Status& status, const char* what) const {
  if (status.ok()) return;
  if (status.IsCorruption()) {
    throw Error("{}: {}: the store is damaged: {}", path_.string(), what, status.ToString());
  }
  throw Error("{}: {}: {}", path_.string(), what, status.ToString());
}

void RocksdbFolder::check_room() const {
  const fs::path file = path_ / "room.dbtmp";
  write_file_durable(file, std::string(1 << 20, '\0'));
  fs::remove(file);
}

void RocksdbFolder::check_contents() const {
  std::error_code code;
  fs::create_directories(path_, code);
  if (!fs::is_directory(path_)) {
    throw InputError("{}: no folder can be made here: {}", path_.string(),
                     fs::exists(path_) ? "it is a file" : code.message());
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_, code)) {
    names.push_back(entry.path().filename().string());
  }
  if (code) throw InputError("{}: cannot be read: {}", path_.string(), code.message());

  if (std::ranges::find(names, "CURRENT") == names.end()) {
    for (const std::string& name : names) {
      if (name.ends_with(".sst")) throw damaged(path_, "its file CURRENT is missing");
      if (!is_of_unfinished_creation(name)) {
        throw InputError("{}: is no store: it holds {}; name an empty or a new folder",
                         path_.string(), name);
      }
    }
    return;
  }
  std::vector<std::string> families;
  const rocksdb::Status status =
      rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path_.string(), &families);
  if (!status.ok()) throw damaged(path_, status.ToString());
  for (const std::string& family : families) {
    if (std::ranges::find(layout::kFamilies, family) == layout::kFamilies.end()) {
      throw newer(path_, "it has " + family);
    }
  }
}

void RocksdbFolder::check_format() {
  std::string text;
  const rocksdb::Status status =
      database_->Get({}, family(layout::kDefault), layout::kFormatKey, &text);
  if (status.IsNotFound()) {
    rocksdb::WriteOptions durable;
    durable.sync = true;
    check(database_->Put(durable, family(layout::kDefault), layout::kFormatKey,
                         std::to_string(layout::kFormat)),
          "cannot be written");
    return;
  }
  check(status, "cannot be read");
  int format = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (failed != std::errc() || end != text.data() + text.size() || format < 1) {
    throw damaged(path_, "its format is \"" + text + "\"");
  }
  if (format > layout::kFormat) {
    throw newer(path_, fmt::format("format {}, known are up to {}", format, layout::kFormat));
  }
}

void RocksdbFolder::fail_to_open(const rocksdb::Status& status) const {
  const std::string reason = status.ToString();
  if (reason.find("Permission denied") != std::string::npos ||
      reason.find("Read-only file system") != std::string::npos) {
    throw InputError("{}: cannot be written ({}); name a folder that this user may write to",
                     path_.string(), reason);
  }
  if (status.IsIOError() && reason.find("/LOCK") != std::string::npos) {
    throw InputError(
        "{}: another process uses this store ({}); stop it first, give every server a folder of "
        "its "
        "own, or let them share a Redis (redis://HOST:PORT)",
        path_.string(), reason);
  }
  // Only what RocksDB itself calls corrupt is: a process without files or memory left has a store
  // that is whole.
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotSupported()) {
    throw damaged(path_, reason);
  }
  throw Error("{}: cannot be opened: {}", path_.string(), reason);
}

}  // namespace limber
