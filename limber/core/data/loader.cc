#include "limber/core/data/loader.h"

namespace limber {

Loader::Loader(const Dataset& dataset, const EpisodeSampler& sampler, std::int64_t first,
               std::size_t ahead)
    : dataset_(dataset), sampler_(sampler), ahead_(ahead), thread_([this, first] { run(first); }) {}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Loader::run(std::int64_t first) {
  try {
    BatchMaker maker(dataset_);
    for (std::int64_t i = first; i < sampler_.batches(); ++i) {
      std::unique_ptr<TaskBatch> batch;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stop_ || ready_.size() < ahead_; });
        if (stop_) return;
        if (!free_.empty()) {
          batch = std::move(free_.front());
          free_.pop_front();
        }
      }
      if (!batch) batch = std::make_unique<TaskBatch>();
      gather_episode(sampler_.plan(i), maker, *batch);
      {
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(batch));
      }
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_all();
}

std::unique_ptr<TaskBatch> Loader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_ || !ready_.empty(); });
  if (ready_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return nullptr;
  }
  auto batch = std::move(ready_.front());
  ready_.pop_front();
  lock.unlock();
  changed_.notify_all();
  return batch;
}

void Loader::recycle(std::unique_ptr<TaskBatch> batch) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(batch));
}

}  // namespace limber
