#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "limber/serving/http/exchange.h"
#include "limber/serving/http/route_metrics.h"

namespace limber::http {

/// A queue that does not grow beyond its bounds, and the threads that work it off. What it accepts
/// is expected to be begun in time; the rest is turned away when it comes, not after it has waited.
///
/// The expected wait is the sum of what the queued requests are believed to take, divided by the
/// workers; each is believed to take what its route took lately. It is no less than what the oldest
/// in the queue has waited: workers that are stuck show there first. With nothing queued a request
/// is always accepted, so a belief that was wrong once corrects itself.
class WorkerPool {
 public:
  /// `workers` threads for most, and one more for vital requests. `length` follows the number of
  /// those that wait, vital ones left aside.
  WorkerPool(std::size_t workers, std::size_t capacity, std::atomic<std::size_t>& length);
  /// Waits for what runs; what is queued is dropped.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Queues a request, or says why not. Any thread. (How many of a route are on their way
  /// is counted by Admission.)
  std::optional<Shed> submit(std::shared_ptr<Exchange> exchange);
  /// Why submit() would turn away a request of that route now, if it would.
  std::optional<Shed> refusal(const Route& route, TimePoint deadline) const;

  /// Drops what is queued and waits for what runs; submit() must not be called again.
  void stop();

 private:
  std::optional<Shed> refusal_locked(const Route& route, TimePoint deadline) const;
  void work();
  void work_vital();
  std::shared_ptr<Exchange> next();

  const std::size_t workers_, capacity_;
  mutable std::mutex mutex_;
  std::condition_variable work_, vital_work_;
  std::deque<std::shared_ptr<Exchange>> normal_, low_, vital_;
  double queued_seconds_ = 0;  ///< expected, of all that is queued but vital
  std::atomic<std::size_t>& length_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace limber::http
