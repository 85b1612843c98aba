#include "limber/serving/http/worker_pool.h"

#include <algorithm>

#include "limber/serving/http/route.h"

namespace limber::http {
namespace {

double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

WorkerPool::WorkerPool(std::size_t workers, std::size_t capacity, std::atomic<std::size_t>& length)
    : workers_(std::max<std::size_t>(workers, 1)), capacity_(capacity), length_(length) {
  threads_.reserve(workers_ + 1);
  for (std::size_t i = 0; i < workers_; ++i) threads_.emplace_back([this] { work(); });
  threads_.emplace_back([this] { work_vital(); });
}

WorkerPool::~WorkerPool() {
  stop();
}

std::optional<Shed> WorkerPool::refusal_locked(const Route& route, TimePoint deadline) const {
  if (route.options.priority == Priority::kVital) return std::nullopt;
  const std::size_t queued = normal_.size() + low_.size();
  if (queued == 0) return std::nullopt;
  const bool low = route.options.priority == Priority::kLow;
  if (queued >= (low ? (capacity_ + 1) / 2 : capacity_)) return Shed::kQueueFull;
  const TimePoint now = Clock::now();
  const auto& ahead = low && !low_.empty() ? low_ : normal_;
  const double oldest = ahead.empty() ? 0 : seconds(now - ahead.front()->queued);
  const double wait = std::max(oldest, queued_seconds_ / static_cast<double>(workers_));
  if (route.options.most_wait && wait > seconds(*route.options.most_wait)) {
    return Shed::kWaitTooLong;
  }
  // Accepting what cannot be ready in time would take the time from what can.
  if (deadline != TimePoint::max() &&
      wait + route.service_seconds.load(std::memory_order_relaxed) > seconds(deadline - now)) {
    return Shed::kWaitTooLong;
  }
  return std::nullopt;
}

std::optional<Shed> WorkerPool::refusal(const Route& route, TimePoint deadline) const {
  const std::lock_guard lock(mutex_);
  return refusal_locked(route, deadline);
}

std::optional<Shed> WorkerPool::submit(std::shared_ptr<Exchange> exchange) {
  const Route& route = *exchange->route;
  const Priority priority = route.options.priority;
  {
    const std::lock_guard lock(mutex_);
    if (const auto refused = refusal_locked(route, exchange->request.deadline)) return refused;
    exchange->queued = Clock::now();
    if (priority == Priority::kVital) {
      vital_.push_back(std::move(exchange));
    } else {
      exchange->expected = route.service_seconds.load(std::memory_order_relaxed);
      queued_seconds_ += exchange->expected;
      (priority == Priority::kLow ? low_ : normal_).push_back(std::move(exchange));
      length_.store(normal_.size() + low_.size(), std::memory_order_relaxed);
    }
  }
  (priority == Priority::kVital ? vital_work_ : work_).notify_one();
  return std::nullopt;
}

std::shared_ptr<Exchange> WorkerPool::next() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return stopped_ || !normal_.empty() || !low_.empty(); });
  if (stopped_) return nullptr;
  auto& queue = normal_.empty() ? low_ : normal_;
  std::shared_ptr<Exchange> exchange = std::move(queue.front());
  queue.pop_front();
  const std::size_t left = normal_.size() + low_.size();
  length_.store(left, std::memory_order_relaxed);
  // Sums of sums drift; an empty queue is no work at all.
  queued_seconds_ = left == 0 ? 0 : std::max(0.0, queued_seconds_ - exchange->expected);
  return exchange;
}

void WorkerPool::work() {
  while (const std::shared_ptr<Exchange> exchange = next()) {
    if (!exchange->begin()) continue;
    const TimePoint begun = Clock::now();
    Route& route = *exchange->route;
    route.metrics.waited(seconds(begun - exchange->queued));
    run_handler(exchange);
    route.observe_service(seconds(Clock::now() - begun));
  }
}

void WorkerPool::work_vital() {
  std::unique_lock lock(mutex_);
  while (true) {
    vital_work_.wait(lock, [this] { return stopped_ || !vital_.empty(); });
    if (stopped_) return;
    const std::shared_ptr<Exchange> exchange = std::move(vital_.front());
    vital_.pop_front();
    lock.unlock();
    if (exchange->begin()) run_handler(exchange);
    lock.lock();
  }
}

void WorkerPool::stop() {
  std::deque<std::shared_ptr<Exchange>> dropped[3];
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped[0].swap(normal_);
    dropped[1].swap(low_);
    dropped[2].swap(vital_);
    length_ = 0;
  }
  work_.notify_all();
  vital_work_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace limber::http
