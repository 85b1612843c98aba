#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace limber {

/// Lets concurrent writers share one durable write. Whoever finds nobody writing writes for all who
/// have come by then; those who come meanwhile wait and are the next group. Groups run one after
/// the other, so that what writes needs no locks of its own.
template <class Request>
class GroupCommit {
 public:
  struct Entry {
    Request* request;
    std::exception_ptr failure;  ///< set by the writer: what this request's caller shall get
  };
  /// Handles a group. What it throws, every caller of the group gets.
  using Writer = std::function<void(std::span<Entry*> group)>;

  GroupCommit(Writer writer, std::size_t largest_group)
      : writer_(std::move(writer)), largest_group_(largest_group) {}

  /// Returns when a group with `request` was written. Throws what became of it.
  void commit(Request& request) {
    Waiting own{{&request, nullptr}};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&own);
    if (writing_) came_.notify_one();
    own.wake.wait(lock, [&] { return own.done || (!writing_ && waiting_.front() == &own); });
    if (!own.done) write_group(lock);
    if (own.entry.failure) std::rethrow_exception(own.entry.failure);
  }

  /// Callers whose group has not begun.
  std::size_t waiting() {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    Entry entry;
    bool done = false;
    std::condition_variable wake = {};
  };

  void write_group(std::unique_lock<std::mutex>& lock) {
    writing_ = true;
    // Those of the last group are on their way back with their next requests. Without waiting for
    // them the first to come would write alone, and the groups of a few writers be half as large.
    came_.wait_for(lock, last_duration_ / 8, [&] { return waiting_.size() >= last_size_; });
    const Clock::time_point start = Clock::now();
    const std::size_t size = std::min(waiting_.size(), largest_group_);
    const std::vector<Waiting*> group(waiting_.begin(),
                                      waiting_.begin() + static_cast<std::ptrdiff_t>(size));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size));
    std::vector<Entry*> entries;
    entries.reserve(size);
    for (Waiting* waiting : group) entries.push_back(&waiting->entry);

    lock.unlock();
    try {
      writer_(entries);
    } catch (...) {
      for (Entry* entry : entries) entry->failure = std::current_exception();
    }
    lock.lock();

    writing_ = false;
    last_size_ = size;
    last_duration_ = Clock::now() - start;
    // Woken under the lock: a caller that has returned takes its condition variable with it.
    for (Waiting* waiting : group) {
      waiting->done = true;
      waiting->wake.notify_one();
    }
    if (!waiting_.empty()) waiting_.front()->wake.notify_one();
  }

  Writer writer_;
  std::size_t largest_group_;
  std::mutex mutex_;
  std::condition_variable came_;
  bool writing_ = false;
  std::size_t last_size_ = 1;
  Clock::duration last_duration_{0};
  std::deque<Waiting*> waiting_;
};

}  // namespace limber
