#include "limber/serving/service/model_host.h"

#include <spdlog/spdlog.h>

#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"

namespace limber {

ModelHost::ModelHost(std::filesystem::path path, ServedModel::Options options,
                     Personaliser& personaliser)
    : path_(std::move(path)), options_(std::move(options)), personaliser_(personaliser) {
  current_ = ServedModel::load(path_, options_);
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
  if (Artifact::find_folder(path_) == serving->runtime().artifact.folder()) return false;
  const std::shared_ptr<const ServedModel> next = ServedModel::load(path_, options_);
  if (next->runtime().version() == serving->runtime().version()) {
    // Embeddings of one would count as the other's.
    throw InputError("{}: says that it is version {}, which is served from {}; publish it anew",
                     next->runtime().artifact.folder().string(), next->runtime().version(),
                     serving->runtime().artifact.folder().string());
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
