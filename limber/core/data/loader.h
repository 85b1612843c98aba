#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "limber/core/data/task_batch.h"

namespace limber {

/// Plans and gathers batches on a thread of its own, a few ahead of the one in use. The order is
/// the sampler's, so results do not depend on timing.
class Loader {
 public:
  /// Batches `first`, first + 1, ... of `sampler`, which must outlive the loader.
  Loader(const Dataset& dataset, const EpisodeSampler& sampler, std::int64_t first = 0,
         std::size_t ahead = 3);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch, or null after the last. Rethrows what went wrong on the loading thread.
  std::unique_ptr<TaskBatch> next();
  /// Gives a used batch back, so that its memory is used again.
  void recycle(std::unique_ptr<TaskBatch> batch);

 private:
  void run(std::int64_t first);

  const Dataset& dataset_;
  const EpisodeSampler& sampler_;
  std::size_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<TaskBatch>> ready_, free_;
  std::exception_ptr failure_;
  bool done_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace limber
