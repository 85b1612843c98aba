#pragma once

#include <grpcpp/support/status.h>

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstddef>
#include <functional>

namespace limber {

/// Threads that do the work of calls, and a bound on how many calls wait for them: more than they
/// can do in time is turned away at once, so that what is accepted stays fast.
class RequestPool {
 public:
  using Clock = std::chrono::steady_clock;
  using Work = std::function<grpc::Status()>;
  using Answer = std::function<void(grpc::Status)>;

  RequestPool(std::size_t workers, std::size_t most_requests, std::chrono::milliseconds most_wait);
  ~RequestPool() { stop(); }
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;

  /// Runs `work`, which must not throw, on a thread, and hands what it returns to `answer` once the
  /// call no longer counts among the accepted ones. Work that no thread has begun at `deadline` is
  /// left out and answered DEADLINE_EXCEEDED. When there is no room it is answered
  /// RESOURCE_EXHAUSTED before this returns.
  void submit(Clock::time_point deadline, Work work, Answer answer);

  /// Calls accepted, waiting and running.
  std::size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

  /// Waits for all that was accepted; submit() must not be called again.
  void stop() { threads_.join(); }

 private:
  /// Why one more call that came after `before` others must go; null: it may stay.
  const char* refusal(std::size_t before, Clock::time_point deadline) const;
  void observe(double seconds);

  const std::size_t workers_, most_requests_;
  const double most_wait_;  ///< seconds
  std::atomic<std::size_t> in_flight_ = 0;
  std::atomic<double> service_seconds_ = 0;  ///< smoothed, of a thread's time; 0: none yet
  boost::asio::thread_pool threads_;
};

}  // namespace limber
