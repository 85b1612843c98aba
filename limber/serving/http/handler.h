#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "limber/serving/http/request.h"
#include "limber/serving/http/response.h"

namespace limber::http {

class Exchange;

/// Answers a request, now or later, from any thread. Copies answer the same request: the first
/// answer counts, later ones are ignored, as are those that come after the deadline. A request
/// whose last Responder is gone without an answer is answered 500.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange);

  void answer(Response response) const;
  /// False once somebody (another copy, the deadline, a closed server) has answered: work that
  /// serves this request alone may be left.
  bool wanted() const;

 private:
  class Promise;
  std::shared_ptr<Promise> promise_;
};

/// Runs on a worker; what it returns is the answer.
using Handler = std::function<Response(const Request&)>;
/// Runs on a worker and may return before it has answered, so that a wait (for a group commit,
/// another machine) holds no worker. The request lives until the last Responder is gone.
using AsyncHandler = std::function<void(const Request&, Responder)>;

/// Who goes first, and who is turned away first.
enum class Priority {
  kVital,   ///< a thread of its own, never turned away: health, metrics
  kNormal,  ///< drawn before kLow
  kLow,     ///< turned away as soon as the queue is half full: bulk work that can come again
};

/// How the requests of one route are treated.
struct RouteOptions {
  Priority priority = Priority::kNormal;
  /// Answered without the bearer token.
  bool open = false;
  /// The media type that a body must have, such as "application/json"; else 415. A route that
  /// consumes something also insists on a length (411).
  std::string consumes = {};
  /// Bytes of a body; the server's own limit when not given.
  std::optional<std::size_t> body_limit = {};
  /// Requests of this route at once, queued, running and waiting to be answered; beyond it 429.
  /// 0: as many as come.
  std::size_t most_in_flight = 0;
  /// From arrival to answer; the server's own when not given, none when zero.
  std::optional<std::chrono::milliseconds> deadline = {};
  /// The longest expected wait in the queue with which a request is still accepted; the server's
  /// own when not given.
  std::optional<std::chrono::milliseconds> most_wait = {};
};

}  // namespace limber::http
