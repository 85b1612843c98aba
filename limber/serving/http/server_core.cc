#include "limber/serving/http/server_core.h"

#include <utility>

namespace limber::http {
namespace {

Response come_again(const ServerOptions& options, unsigned status, const char* message) {
  Response response = error_response(status, message);
  response.headers.emplace_back("Retry-After", std::to_string(options.retry_after.count()));
  return response;
}

}  // namespace

ServerCore::ServerCore(ServerOptions given)
    : options(std::move(given)),
      token(options.token),
      connections_total(metrics.counter("limber_http_connections_total", "Connections accepted.")),
      connections_refused(metrics.counter("limber_http_connections_refused_total",
                                          "Connections turned away: as many as may be were open.")),
      busy(come_again(options, 503, "the server is busy; come again")),
      route_full(
          come_again(options, 429, "as many requests as may be are on their way; come again")),
      expired_in_queue(come_again(options, 503, "the deadline passed before a worker was free")),
      expired_running(error_response(504, "the deadline passed before there was an answer")) {
  unrouted.attach(metrics, "", "");
  metrics.gauge("limber_http_connections", "Connections open now.",
                [this] { return static_cast<double>(connections()); });
  metrics.gauge("limber_http_in_flight", "Requests accepted and not yet done.",
                [this] { return static_cast<double>(in_flight.load()); });
  metrics.gauge("limber_http_queue_length", "Requests that wait for a worker.",
                [this] { return static_cast<double>(queue_length.load()); });
  metrics.gauge("limber_http_body_bytes", "Memory set aside for bodies of requests.",
                [this] { return static_cast<double>(body_bytes.load()); });
}

void ServerCore::connection_opened() {
  connections_.fetch_add(1, std::memory_order_relaxed);
  connections_total.Increment();
}

void ServerCore::connection_closed() {
  const std::lock_guard lock(mutex_);
  if (connections_.fetch_sub(1, std::memory_order_relaxed) == 1) none_left_.notify_all();
}

bool ServerCore::wait_for_connections(TimePoint until) {
  std::unique_lock lock(mutex_);
  return none_left_.wait_until(lock, until, [this] { return connections() == 0; });
}

std::optional<Shed> Admission::take(const std::shared_ptr<ServerCore>& core, Route& route,
                                    std::size_t body_bytes, Admission& admission) {
  Admission taken;
  taken.core_ = core;
  taken.route_ = &route;
  taken.body_bytes_ = body_bytes;
  core->in_flight.fetch_add(1, std::memory_order_relaxed);
  const std::size_t of_route = route.in_flight.fetch_add(1, std::memory_order_relaxed);
  const std::size_t bytes = core->body_bytes.fetch_add(body_bytes, std::memory_order_relaxed);
  // What is refused is given back at once, by `taken`.
  if (route.options.most_in_flight != 0 && of_route >= route.options.most_in_flight) {
    return Shed::kRouteFull;
  }
  if (bytes + body_bytes > core->options.body_memory && body_bytes > 0) return Shed::kBodyMemory;
  admission = std::move(taken);
  return std::nullopt;
}

Admission::~Admission() {
  if (!core_) return;
  leave_place();
  core_->body_bytes.fetch_sub(body_bytes_, std::memory_order_relaxed);
}

void Admission::leave_place() {
  if (route_ == nullptr) return;
  route_->in_flight.fetch_sub(1, std::memory_order_relaxed);
  core_->in_flight.fetch_sub(1, std::memory_order_relaxed);
  route_ = nullptr;
}

Admission::Admission(Admission&& other) noexcept
    : core_(std::move(other.core_)), route_(other.route_), body_bytes_(other.body_bytes_) {}

Admission& Admission::operator=(Admission&& other) noexcept {
  std::swap(core_, other.core_);
  std::swap(route_, other.route_);
  std::swap(body_bytes_, other.body_bytes_);
  return *this;
}

}  // namespace limber::http
