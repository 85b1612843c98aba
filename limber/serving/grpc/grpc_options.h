#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace limber {

/// Where the gRPC server listens and what it puts up with.
struct GrpcOptions {
  std::string address = "127.0.0.1";  ///< an IPv4 or IPv6 address, not a name
  std::uint16_t port = 0;             ///< 0: any free one

  std::size_t workers = 0;  ///< threads that score; 0: one for each processor
  /// Calls of ModelInfer at once, waiting and running; one more is answered RESOURCE_EXHAUSTED.
  std::size_t most_requests = 1024;
  /// A call that is expected to wait longer than this for a worker is answered RESOURCE_EXHAUSTED.
  std::chrono::milliseconds most_wait{250};
  /// From a call's arrival to the moment a worker takes it; 0: none. One that is too late is
  /// answered DEADLINE_EXCEEDED and never run. A client's own deadline counts where it is sooner.
  std::chrono::milliseconds deadline{10'000};

  std::size_t message_limit = 4 << 20;    ///< bytes of a request; else RESOURCE_EXHAUSTED
  std::size_t metadata_limit = 16 << 10;  ///< bytes of a call's metadata; else RESOURCE_EXHAUSTED
  /// Bytes that gRPC may hold of requests and responses; near it, reading slows down.
  std::size_t memory = 256 << 20;
  std::chrono::milliseconds idle_time{300'000};  ///< of a connection without calls; then it closes

  /// PEM files. With both the server speaks TLS (1.2 or newer), with neither plain text.
  std::filesystem::path certificate = {};  ///< the chain, the server's own certificate first
  std::filesystem::path key = {};
  /// How often the two are looked at; renewed ones serve connections to come.
  std::chrono::seconds certificate_interval{60};

  /// When not empty, calls must carry the metadata "authorization: Bearer TOKEN".
  std::string token = {};
};

/// Throws InputError that names the option with which no server can run.
void check(const GrpcOptions& options);

}  // namespace limber
