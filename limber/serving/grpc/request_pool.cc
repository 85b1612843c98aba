#include "limber/serving/grpc/request_pool.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace limber {
namespace {

double seconds(RequestPool::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

RequestPool::RequestPool(std::size_t workers, std::size_t most_requests,
                         std::chrono::milliseconds most_wait)
    : workers_(std::max<std::size_t>(workers, 1)),
      most_requests_(most_requests),
      most_wait_(seconds(most_wait)),
      threads_(workers_) {}

const char* RequestPool::refusal(std::size_t before, Clock::time_point deadline) const {
  if (before >= most_requests_) return "too many requests at once; try again later";
  if (before < workers_) return nullptr;
  const double service = service_seconds_.load(std::memory_order_relaxed);
  const double wait =
      static_cast<double>(before - workers_ + 1) * service / static_cast<double>(workers_);
  if (wait > most_wait_) return "the wait would be too long; try again later";
  // Accepting what cannot be ready in time would take the time from what can.
  if (deadline != Clock::time_point::max() && wait + service > seconds(deadline - Clock::now())) {
    return "the wait would be longer than the deadline; try again later";
  }
  return nullptr;
}

void RequestPool::submit(Clock::time_point deadline, Work work, Answer answer) {
  const std::size_t before = in_flight_.fetch_add(1);
  if (const char* reason = refusal(before, deadline)) {
    in_flight_.fetch_sub(1);
    answer({grpc::StatusCode::RESOURCE_EXHAUSTED, reason});
    return;
  }
  boost::asio::post(threads_, [this, deadline, work = std::move(work), answer = std::move(answer)] {
    const Clock::time_point start = Clock::now();
    grpc::Status status;
    if (start >= deadline) {
      status = {grpc::StatusCode::DEADLINE_EXCEEDED,
                "the deadline passed before a thread was free"};
    } else {
      status = work();
      observe(seconds(Clock::now() - start));
    }
    // Before the answer: whoever sends the next request on getting it must find the room.
    in_flight_.fetch_sub(1);
    answer(std::move(status));
  });
}

/// An old one's weight falls to 1/e in sixteen requests.
void RequestPool::observe(double taken) {
  double before = service_seconds_.load(std::memory_order_relaxed), after = 0;
  do {
    after = before == 0 ? taken : before + (taken - before) / 16;
  } while (!service_seconds_.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

}  // namespace limber
