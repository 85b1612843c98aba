#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "limber/serving/rows/served_model.h"
#include "limber/serving/service/personaliser.h"

namespace limber {

/// The version that is served, and how it is exchanged for a newer one while requests run: the new
/// one is opened and checked apart, requests that have begun keep the old one, later ones get the
/// new one, and members with stored interactions are adapted again in the background. A version
/// that cannot be opened changes nothing; the old one keeps serving.
class ModelHost {
 public:
  /// Opens `path`. Throws InputError.
  ModelHost(std::filesystem::path path, ServedModel::Options options, Personaliser& personaliser);
  ~ModelHost();
  ModelHost(const ModelHost&) = delete;
  ModelHost& operator=(const ModelHost&) = delete;

  std::shared_ptr<const ServedModel> current() const {
    const std::lock_guard lock(current_mutex_);
    return current_;
  }

  /// Opens the newest version (or the folder's own) and exchanges it, unless it is the one that is
  /// served. Returns whether it was exchanged. Throws InputError and keeps the old one; what was
  /// refused is looked at again when a file of it has changed.
  bool reload();

  /// Looks for a newer version every `interval`, on a thread of its own, and exchanges it.
  void watch(std::chrono::milliseconds interval);

  /// Adapts, on that thread, members whose embedding of the current version is older than their
  /// interactions. True when it has been done once for the current version.
  bool refreshed() const { return refreshed_.load() == current()->id(); }

  struct Figures {
    std::int64_t reloads = 0, failures = 0, members_refreshed = 0;
  };
  Figures figures() const { return {reloads_, failures_, members_refreshed_}; }

 private:
  void run(std::chrono::milliseconds interval);
  void refresh_members();
  /// Throws InputError where a version's folder bears another version's number.
  void check_published(const ServedModel& model) const;

  const std::filesystem::path path_;
  const ServedModel::Options options_;
  Personaliser& personaliser_;
  // Not std::atomic<std::shared_ptr>: that of GCC 12 releases its lock after a load too weakly.
  mutable std::mutex current_mutex_;
  std::shared_ptr<const ServedModel> current_;
  std::atomic<std::uint64_t> refreshed_ = 0;
  std::atomic<std::int64_t> reloads_ = 0, failures_ = 0, members_refreshed_ = 0;
  std::mutex reloading_;
  std::pair<std::filesystem::path, std::filesystem::file_time_type> refused_;
  std::string failed_;  ///< what the last failure said, so that it is logged and counted once

  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace limber
