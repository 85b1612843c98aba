#include "limber/serving/http/server.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <thread>

#include "limber/serving/http/connection.h"
#include "limber/serving/http/response_bytes.h"
#include "limber/serving/http/tls.h"

namespace limber::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

ServerOptions checked(ServerOptions options) {
  check(options);
  if (options.workers == 0) options.workers = std::max(1U, std::thread::hardware_concurrency());
  return options;
}

/// Each connection is an open file; the usual 1024 would be the true limit, and a silent one.
void allow_open_files(std::size_t connections) {
  constexpr std::size_t kOthers = 256;
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= connections + kOthers) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, connections + kOthers);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < connections + kOthers) {
    spdlog::warn("http: {} open files are allowed, fewer than {} connections need; see ulimit -n",
                 limit.rlim_cur, connections);
  }
}

}  // namespace

class Server::Implementation {
 public:
  explicit Implementation(ServerOptions options)
      : core(std::make_shared<ServerCore>(checked(std::move(options)))) {
    reload_certificate();
  }

  Route& add(std::string_view method, std::string_view pattern, RouteOptions options);
  void start();
  bool drain(std::chrono::milliseconds patience);
  void reload_certificate();

  std::uint16_t port() const { return port_; }

  const std::shared_ptr<ServerCore> core;

 private:
  asio::awaitable<void> accept();
  void open(IoLoop& loop, Tcp::socket socket);
  void turn_away(Tcp::socket socket);
  std::shared_ptr<asio::ssl::context> tls();

  std::mutex tls_mutex_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::unique_ptr<WorkerPool> pool_;  ///< outlives the loops, whose connections submit to it
  std::vector<std::unique_ptr<IoLoop>> loops_;
  std::optional<Tcp::acceptor> acceptor_;
  std::atomic<std::uint16_t> port_ = 0;
  std::string refusal_;  ///< the bytes for a connection too many
  std::mutex drain_mutex_;
  std::optional<bool> drained_;
};

Route& Server::Implementation::add(std::string_view method, std::string_view pattern,
                                   RouteOptions options) {
  if (pool_) throw Error("route {} {}: added to a server that has started", method, pattern);
  auto route = std::make_unique<Route>();
  route->method = method;
  route->pattern = pattern;
  if (!options.body_limit) options.body_limit = core->options.body_limit;
  if (*options.body_limit > core->options.body_memory) {
    throw Error("route {} {}: its body_limit {} is above the server's body_memory {}", method,
                pattern, *options.body_limit, core->options.body_memory);
  }
  if (!options.deadline) options.deadline = core->options.deadline;
  if (!options.most_wait) options.most_wait = core->options.most_wait;
  route->options = std::move(options);
  Route& added = core->router.add(std::move(route));
  added.metrics.attach(core->metrics, added.method, added.pattern);
  return added;
}

std::shared_ptr<asio::ssl::context> Server::Implementation::tls() {
  const std::lock_guard lock(tls_mutex_);
  return tls_;
}

void Server::Implementation::reload_certificate() {
  if (core->options.certificate.empty()) return;
  auto fresh = make_tls_context(core->options.certificate, core->options.key);
  const std::lock_guard lock(tls_mutex_);
  tls_ = std::move(fresh);
}

void Server::Implementation::start() {
  const ServerOptions& options = core->options;
  if (pool_) throw Error("http server: started twice");
  if (core->draining) throw Error("http server: started after it was drained");
  error_code code;
  const auto address = asio::ip::make_address(options.address, code);
  if (code) {
    throw InputError("http server: {} is no address; give one such as 127.0.0.1, 0.0.0.0 or ::1",
                     options.address);
  }
  allow_open_files(options.most_connections);
  std::vector<std::unique_ptr<IoLoop>> loops;
  for (std::size_t i = 0; i < options.io_threads; ++i) loops.push_back(std::make_unique<IoLoop>());
  Tcp::acceptor acceptor(loops.front()->io);
  const Tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), code);
  if (!code) acceptor.set_option(Tcp::acceptor::reuse_address(true), code);
  if (!code) acceptor.bind(endpoint, code);
  if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
  if (code) {
    throw InputError("http server: cannot listen on {} port {}: {}; give another address or port",
                     options.address, options.port, code.message());
  }
  if (!address.is_loopback() && options.token.empty()) {
    spdlog::warn("http: {} can be reached from other machines, and there is no token",
                 options.address);
  }
  write_head(core->busy, false, refusal_);
  refusal_ += core->busy.content();
  port_ = acceptor.local_endpoint().port();
  pool_ = std::make_unique<WorkerPool>(options.workers, options.queue_capacity, core->queue_length);
  loops_ = std::move(loops);
  acceptor_ = std::move(acceptor);
  core->ready = true;
  asio::co_spawn(loops_.front()->io, accept(), asio::detached);
  for (const auto& loop : loops_) loop->start();
}

asio::awaitable<void> Server::Implementation::accept() {
  asio::steady_timer pause(loops_.front()->io);
  for (std::size_t next = 0;; ++next) {
    IoLoop& loop = *loops_[next % loops_.size()];
    Tcp::socket socket(loop.io);
    error_code code;
    co_await acceptor_->async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
    if (!acceptor_->is_open()) co_return;
    if (code) {
      // Out of files or memory; whoever waits is accepted once some are given back.
      if (code != asio::error::connection_aborted) {
        pause.expires_after(std::chrono::milliseconds(50));
        error_code ignored;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (!acceptor_->is_open()) co_return;
      }
    } else if (core->connections() >= core->options.most_connections) {
      turn_away(std::move(socket));
    } else {
      core->connection_opened();
      try {
        open(loop, std::move(socket));
      } catch (const std::exception& error) {
        // Out of memory for one connection is no reason to accept no more.
        core->connection_closed();
        spdlog::error("a connection could not be opened: {}", error.what());
      }
    }
  }
}

void Server::Implementation::open(IoLoop& loop, Tcp::socket socket) {
  auto connection = std::make_shared<Connection>(loop, std::move(socket), tls(), core, *pool_);
  asio::dispatch(loop.io, [connection = std::move(connection)] { connection->start(); });
}

void Server::Implementation::turn_away(Tcp::socket socket) {
  core->connections_refused.Increment();
  if (!core->options.certificate.empty()) return;
  error_code code;
  socket.non_blocking(true, code);
  socket.write_some(asio::buffer(refusal_), code);
  socket.shutdown(Tcp::socket::shutdown_send, code);
}

bool Server::Implementation::drain(std::chrono::milliseconds patience) {
  const std::lock_guard lock(drain_mutex_);
  core->ready = false;
  core->draining = true;
  if (!pool_) return true;
  if (drained_) return *drained_;
  const TimePoint until = Clock::now() + patience;
  asio::post(loops_.front()->io, [this] {
    error_code code;
    acceptor_->close(code);
  });
  for (const auto& loop : loops_) {
    asio::post(loop->io, [&loop = *loop] {
      for (Connection* connection : loop.connections) connection->drain();
    });
  }
  drained_ = core->wait_for_connections(until);
  if (!*drained_) {
    core->cut_off = true;
    for (const auto& loop : loops_) {
      asio::post(loop->io, [&loop = *loop] {
        // Those that are resumed may leave the set while it is walked.
        const std::vector<Connection*> all(loop.connections.begin(), loop.connections.end());
        for (Connection* connection : all) {
          if (loop.connections.contains(connection)) connection->cut_off();
        }
      });
    }
  }
  for (const auto& loop : loops_) loop->join();
  pool_->stop();
  return *drained_;
}

Server::Server(ServerOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}

Server::~Server() {
  implementation_->drain(std::chrono::milliseconds(0));
}

void Server::route(std::string_view method, std::string_view pattern, Handler handler,
                   RouteOptions options) {
  implementation_->add(method, pattern, std::move(options)).handler = std::move(handler);
}

void Server::route_async(std::string_view method, std::string_view pattern, AsyncHandler handler,
                         RouteOptions options) {
  implementation_->add(method, pattern, std::move(options)).async_handler = std::move(handler);
}

void Server::start() {
  implementation_->start();
}

std::uint16_t Server::port() const {
  return implementation_->port();
}

bool Server::ready() const {
  return implementation_->core->ready;
}

void Server::set_ready(bool ready) {
  if (!implementation_->core->draining) implementation_->core->ready = ready;
}

void Server::reload_certificate() {
  implementation_->reload_certificate();
}

bool Server::drain(std::chrono::milliseconds patience) {
  return implementation_->drain(patience);
}

Metrics& Server::metrics() {
  return implementation_->core->metrics;
}

std::size_t Server::connections() const {
  return implementation_->core->connections();
}

std::size_t Server::in_flight() const {
  return implementation_->core->in_flight;
}

std::size_t Server::queue_length() const {
  return implementation_->core->queue_length;
}

}  // namespace limber::http
