#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace limber::http {

/// Where a server listens and what it puts up with.
struct ServerOptions {
  std::string address = "127.0.0.1";  ///< an IPv4 or IPv6 address, not a name
  std::uint16_t port = 0;             ///< 0: any free one

  std::size_t io_threads = 1;  ///< they read, write, encrypt and turn away
  std::size_t workers = 0;     ///< they run the handlers; 0: one for each processor

  /// Requests that wait for a worker; one more is answered 503.
  std::size_t queue_capacity = 1024;
  /// A request that is expected to wait longer than this for a worker is answered 503.
  std::chrono::milliseconds most_wait{250};
  /// What a client that was turned away is told to wait, in whole seconds.
  std::chrono::seconds retry_after{1};

  std::size_t most_connections = 10'000;  ///< one more is answered 503 and closed
  std::size_t header_limit = 16 << 10;    ///< bytes of request line and headers; else 431
  std::size_t body_limit = 1 << 20;       ///< bytes of a body; else 413
  /// Bytes of all bodies held at once; a request that would need more is answered 503.
  std::size_t body_memory = 256 << 20;

  std::chrono::milliseconds header_time{10'000};  ///< from first byte to end of headers; else 408
  std::chrono::milliseconds body_time{30'000};    ///< to read a body; else 408
  std::chrono::milliseconds write_time{30'000};   ///< for a client to take a response
  std::chrono::milliseconds idle_time{60'000};    ///< between requests; then the connection closes
  /// From a request's arrival to its answer; 0: none. One that still waits for a worker then is
  /// answered 503 and never run; one that runs is answered 504. A client may ask for less with the
  /// header X-Request-Timeout-Ms.
  std::chrono::milliseconds deadline{10'000};

  /// PEM files. With both the server speaks TLS (1.2 or newer), with neither plain HTTP.
  std::filesystem::path certificate = {};  ///< the chain, the server's own certificate first
  std::filesystem::path key = {};

  /// When not empty, requests to all but open routes must carry "Authorization: Bearer TOKEN".
  std::string token = {};
};

/// Throws InputError that names the option with which no server can run.
void check(const ServerOptions& options);

}  // namespace limber::http
