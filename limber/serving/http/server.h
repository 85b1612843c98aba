#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "limber/serving/http/handler.h"
#include "limber/serving/http/metrics.h"
#include "limber/serving/http/server_options.h"

namespace limber::http {

/// An HTTP/1.1 server: a few threads read and write, a pool of workers runs the handlers, and more
/// work than the workers can do in time is turned away at once, so that what is accepted stays fast
/// and memory bounded.
///
///     Server server(options);
///     server.route("GET", "/members/{id}", [&](const Request& request) {
///       return Response::json(describe(request.path_parameter("id")));
///     });
///     server.start();
///     ...
///     server.drain(std::chrono::seconds(30));
///
/// Every error that the server itself answers is {"error": "one line"}.
class Server {
 public:
  /// Throws InputError for options that cannot be (an unreadable certificate among them).
  explicit Server(ServerOptions options);
  /// Closes what drain() has left, without waiting for it; waits for handlers that run.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Before start() only. A pattern is a path whose segments are literals or {parameters}; a
  /// literal is preferred. GET answers HEAD, too. Throws Error for a pattern that is malformed or
  /// was given before.
  void route(std::string_view method, std::string_view pattern, Handler handler,
             RouteOptions options = {});
  void route_async(std::string_view method, std::string_view pattern, AsyncHandler handler,
                   RouteOptions options = {});

  /// Binds and starts to serve. Throws InputError when the address or port cannot be had.
  void start();
  /// The port that is listened on; 0 before start().
  std::uint16_t port() const;

  /// Whether new work is welcome: from start(), unless the caller says no, until drain().
  bool ready() const;
  /// Readiness for the balancer's eyes alone (see ready()); requests are served all the same.
  void set_ready(bool ready);

  /// Reads certificate and key again, for connections to come. Throws InputError, and keeps the
  /// old ones, when they cannot be used.
  void reload_certificate();

  /// Ends in good order: is no longer ready, accepts no connection, closes idle ones, answers every
  /// request that it has begun to read and closes its connection after it. What is not answered
  /// within `patience` is cut off. Returns whether nothing was. Handlers that still run are waited
  /// for in any case. A drained server stays down.
  bool drain(std::chrono::milliseconds patience);

  /// The server's own metrics, and the place to add others to.
  Metrics& metrics();

  /// Connections that are open now.
  std::size_t connections() const;
  /// Requests accepted, until they are answered and their handlers are done with them.
  std::size_t in_flight() const;
  /// Requests that wait for a worker.
  std::size_t queue_length() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace limber::http
