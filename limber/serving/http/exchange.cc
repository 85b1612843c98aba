#include "limber/serving/http/exchange.h"

#include <spdlog/spdlog.h>

#include "limber/serving/http/route.h"

namespace limber::http {
namespace {

Response failed(const Request& request, const char* what) {
  spdlog::error("{} {}: {}", request.method, request.path, what);
  return error_response(500, "internal error; the server's log says more");
}

/// Runs `body`; the response for what it threw, when it threw.
template <class Body>
std::optional<Response> failure_of(const Request& request, const Body& body) {
  try {
    body();
    return std::nullopt;
  } catch (const HttpError& error) {
    return error_response(error.status(), error.what());
  } catch (const InputError& error) {
    return error_response(400, error.what());
  } catch (const std::exception& error) {
    return failed(request, error.what());
  } catch (...) {
    return failed(request, "unknown failure");
  }
}

}  // namespace

bool Exchange::begin() {
  State queued_state = State::kQueued;
  return state_.compare_exchange_strong(queued_state, State::kRunning);
}

bool Exchange::answer(Response&& given) {
  // The state is taken first, so that only one writes; the connection looks at the response only
  // after deliver().
  if (state_.exchange(State::kAnswered) == State::kAnswered) return false;
  response = std::move(given);
  deliver();
  return true;
}

Exchange::Expired Exchange::expire() {
  switch (state_.exchange(State::kAnswered)) {
    case State::kQueued:
      return Expired::kInQueue;
    case State::kRunning:
      return Expired::kRunning;
    case State::kAnswered:
      break;
  }
  return Expired::kAnswered;
}

/// Answers 500 when all copies of a Responder are gone and none has answered.
class Responder::Promise {
 public:
  explicit Promise(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~Promise() {
    if (exchange_->answered()) return;
    exchange_->answer(failed(exchange_->request, "the handler went without an answer"));
  }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  Exchange& exchange() { return *exchange_; }

 private:
  std::shared_ptr<Exchange> exchange_;
};

Responder::Responder(std::shared_ptr<Exchange> exchange)
    : promise_(std::make_shared<Promise>(std::move(exchange))) {}

void Responder::answer(Response response) const {
  promise_->exchange().answer(std::move(response));
}

bool Responder::wanted() const {
  return !promise_->exchange().answered();
}

void run_handler(const std::shared_ptr<Exchange>& exchange) {
  const Route& route = *exchange->route;
  const Request& request = exchange->request;
  if (route.handler) {
    Response response;
    auto failure = failure_of(request, [&] { response = route.handler(request); });
    exchange->answer(failure ? std::move(*failure) : std::move(response));
    return;
  }
  const Responder responder(exchange);
  auto failure = failure_of(request, [&] { route.async_handler(request, responder); });
  if (failure) responder.answer(std::move(*failure));
}

}  // namespace limber::http
