#pragma once

#include <atomic>
#include <memory>

#include "limber/serving/http/handler.h"

namespace limber::http {

struct Route;

/// One request on its way: from a connection, through the queue, to a worker, and its answer back.
/// It is answered once, by whoever comes first: the handler, or the connection when the deadline
/// has passed.
class Exchange {
 public:
  Exchange() = default;
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// A worker takes it from the queue; false when it was answered there.
  bool begin();
  /// Answers it and hands the response to the connection; false when it was answered before.
  bool answer(Response&& response);

  enum class Expired { kInQueue, kRunning, kAnswered };
  /// The deadline has passed: after this nobody else answers it, unless it was answered already.
  Expired expire();

  bool answered() const { return state_.load(std::memory_order_acquire) == State::kAnswered; }

  Request request;
  Route* route = nullptr;
  TimePoint queued;     ///< when it was accepted
  double expected = 0;  ///< seconds of a worker's time, as believed when it was accepted
  Response response;    ///< whoever answers writes it, once

 protected:
  /// Called by the thread that answers, once `response` is there.
  virtual void deliver() = 0;

 private:
  enum class State { kQueued, kRunning, kAnswered };
  std::atomic<State> state_ = State::kQueued;
};

/// Runs the route's handler for a request that a worker has begun; whatever it throws becomes a
/// response.
void run_handler(const std::shared_ptr<Exchange>& exchange);

}  // namespace limber::http
