#include "limber/training/train/shared_dataset.h"

#include <chrono>
#include <optional>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/folder_lock.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/stored_dataset.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// In a folder that is done: what went wrong with it, or nothing.
constexpr const char* kDone = "done";

/// Does what a folder is made for, whose lock this process holds, and says so to those who wait.
template <class Action>
void make(const fs::path& folder, const Action& action) {
  try {
    action();
  } catch (const std::exception& error) {
    try {
      write_file_atomic(folder / kDone, error.what());
    } catch (const std::exception&) {
      // The others will find the lock free.
    }
    throw;
  }
  write_file_atomic(folder / kDone, "");
}

/// Until another process of this machine has made a folder, however long it reads. A lock is free
/// as soon as who held it is dead.
void wait_for(const fs::path& folder) {
  constexpr std::chrono::milliseconds moment(50);
  for (bool gone = false;; std::this_thread::sleep_for(moment)) {
    if (fs::exists(folder / kDone)) {
      const std::string problem = read_file(folder / kDone);
      if (problem.empty()) return;
      throw Error("another process could not read the log: {}", problem);
    }
    if (gone) {
      throw Error(
          "another process is gone, which was reading the log; start all of them again (torchrun "
          "--max-restarts does so by itself)");
    }
    try {
      const FolderLock lock(folder);
      gone = true;  // unless it is done by now
    } catch (const InputError&) {
      // It is alive.
    }
  }
}

}  // namespace

Dataset build_shared_dataset(const Config& config, const fs::path& folder, ProcessGroup& ranks) {
  const fs::path columns = folder / ("of-rank-" + std::to_string(ranks.first_of_host()));
  const auto piece = [&](std::int64_t place) {
    return columns / ("piece-" + std::to_string(place));
  };
  const std::int64_t place = ranks.place_on_host(), pieces = ranks.size_of_host();
  // What an earlier run has left.
  if (place == 0) {
    fs::remove_all(columns);
    fs::create_directories(columns);
  }
  ranks.barrier();
  std::optional<FolderLock> lock(place == 0 ? columns : piece(place));
  ranks.barrier();
  if (place > 0) {
    make(piece(place), [&] { read_dataset_piece(config, piece(place), {place, pieces}); });
    lock.reset();
    wait_for(columns);
    return open_stored_dataset(columns);
  }
  Dataset dataset;
  make(columns, [&] {
    dataset = build_dataset_of_pieces(config, columns, pieces, [&](std::int64_t of) {
      wait_for(piece(of));
      return piece(of);
    });
    for (std::int64_t of = 1; of < pieces; ++of) fs::remove_all(piece(of));
    store_dataset(dataset, columns);
  });
  return dataset;
}

}  // namespace limber
