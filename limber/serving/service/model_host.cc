#include "limber/serving/service/model_host.h"

#include <spdlog/spdlog.h>

#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// When anything in the folder was last written.
fs::file_time_type changed(const fs::path& folder) {
  auto latest = fs::file_time_type::min();
  std::error_code code;
  for (auto entry = fs::recursive_directory_iterator(folder, code);
       !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    std::error_code ignored;
    const auto time = entry->last_write_time(ignored);
    if (!ignored) latest = std::max(latest, time);
  }
  return latest;
}

}  // namespace

ModelHost::ModelHost(std::filesystem::path path, ServedModel::Options options,
                     Personaliser& personaliser)
    : path_(std::move(path)), options_(std::move(options)), personaliser_(personaliser) {
  current_ = ServedModel::load(path_, options_);
  check_published(*current_);
}

void ModelHost::check_published(const ServedModel& model) const {
  const fs::path folder = model.runtime().artifact.folder();
  // A folder of one version that was named itself may bear any name.
  if (folder == path_ || folder.filename() == model.runtime().version()) return;
  throw InputError("{}: holds version {}, whose embeddings would pass for its own; publish it anew",
                   folder.string(), model.runtime().version());
}

ModelHost::~ModelHost() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool ModelHost::reload() {
  const std::lock_guard lock(reloading_);
  const auto serving = current();
  const Stopwatch time;
  const fs::path folder = Artifact::find_folder(path_);
  if (folder == serving->runtime().artifact.folder()) return false;
  // Opening reads every byte; what could not be opened is not tried again until it changes.
  const auto seen = std::pair(folder, changed(folder));
  if (seen == refused_) return false;
  std::shared_ptr<const ServedModel> next;
  try {
    next = ServedModel::load(path_, options_);
    check_published(*next);
  } catch (const InputError&) {
    refused_ = seen;
    throw;
  }
  {
    const std::lock_guard exchange(current_mutex_);
    current_ = next;
  }
  ++reloads_;
  spdlog::info("{} version {} is served now, after version {} (opened in {:.2f} s)",
               next->runtime().name(), next->runtime().version(), serving->runtime().version(),
               time.seconds());
  return true;
}

void ModelHost::watch(std::chrono::milliseconds interval) {
  thread_ = std::thread([this, interval] { run(interval); });
}

void ModelHost::run(std::chrono::milliseconds interval) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      reload();
      failed_.clear();
    } catch (const std::exception& error) {
      if (failed_ != error.what()) {
        ++failures_;
        spdlog::error("{}; version {} keeps serving", error.what(), current()->runtime().version());
      }
      failed_ = error.what();
    }
    try {
      refresh_members();
    } catch (const std::exception& error) {
      spdlog::warn("members are not all adapted to the current version yet: {}", error.what());
    }
    lock.lock();
    stop_.wait_for(lock, interval, [&] { return stopping_; });
  }
}

void ModelHost::refresh_members() {
  const auto model = current();
  if (refreshed() || !model->runtime().uses_support()) return;
  constexpr std::int64_t page = 256;
  std::string cursor;
  std::int64_t adapted = 0;
  do {
    const ScanPage found = personaliser_.store().scan(cursor, page, model->runtime().name(),
                                                      model->runtime().version());
    std::vector<std::string> members;
    for (const ScanEntry& entry : found.entries) members.push_back(entry.member);
    if (!members.empty()) {
      const auto bench = model->borrow();
      personaliser_.refresh_many(*model, *bench, members);
    }
    adapted += static_cast<std::int64_t>(members.size());
    members_refreshed_ += static_cast<std::int64_t>(members.size());
    cursor = found.next_cursor;
    const std::lock_guard lock(mutex_);
    if (stopping_ || current() != model) return;
  } while (!cursor.empty());
  refreshed_ = model->id();
  if (adapted > 0) {
    spdlog::info("{} members adapted to version {}", adapted, model->runtime().version());
  }
}

}  // namespace limber
