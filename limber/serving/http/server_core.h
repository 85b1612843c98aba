#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "limber/serving/http/bearer_token.h"
#include "limber/serving/http/metrics.h"
#include "limber/serving/http/router.h"
#include "limber/serving/http/server_options.h"
#include "limber/serving/http/worker_pool.h"

namespace limber::http {

/// What connections share. Requests hold it, too: a handler that answers after the server is gone
/// still finds its route and its metrics.
struct ServerCore {
  explicit ServerCore(ServerOptions given);

  const ServerOptions options;
  const BearerToken token;
  Metrics metrics;
  Metrics::Counter& connections_total;
  Metrics::Counter& connections_refused;
  Router router;
  RouteMetrics unrouted;  ///< of requests that found no route, or were none
  const Response busy;    ///< 503 and 429 with Retry-After, made once
  const Response route_full;
  const Response expired_in_queue;
  const Response expired_running;

  std::atomic<std::size_t> in_flight = 0;
  std::atomic<std::size_t> body_bytes = 0;
  std::atomic<std::size_t> queue_length = 0;
  std::atomic<bool> ready = false;
  std::atomic<bool> draining = false;
  std::atomic<bool> cut_off = false;  ///< connections end now, whatever they do

  void connection_opened();
  void connection_closed();
  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  /// Whether all connections have ended before `until`.
  bool wait_for_connections(TimePoint until);

 private:
  std::atomic<std::size_t> connections_ = 0;
  std::mutex mutex_;
  std::condition_variable none_left_;
};

/// A request's share of what is bounded: its route's number in flight, the memory for bodies. Given
/// back at destruction.
class Admission {
 public:
  Admission() = default;
  /// Takes the share or says what there is none left of.
  static std::optional<Shed> take(const std::shared_ptr<ServerCore>& core, Route& route,
                                  std::size_t body_bytes, Admission& admission);
  ~Admission();
  Admission(Admission&& other) noexcept;
  Admission& operator=(Admission&& other) noexcept;

  /// Is no longer in flight; the memory stays taken.
  void leave_place();

 private:
  std::shared_ptr<ServerCore> core_;
  Route* route_ = nullptr;
  std::size_t body_bytes_ = 0;
};

}  // namespace limber::http
