#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "limber/serving/grpc/grpc_options.h"
#include "limber/serving/http/metrics.h"
#include "limber/serving/serve/http_api.h"

namespace limber {

/// The Open Inference Protocol over gRPC (open_inference.proto), beside the HTTP server and on the
/// same service. Bounded: see GrpcOptions. Metrics:
///
///     limber_grpc_requests_total{method, code}
///     limber_grpc_request_seconds{method}       from arrival to the end of the response
///     limber_grpc_in_flight
class GrpcServer {
 public:
  /// `ready` says what ServerReady and ModelReady answer until drain(); it is called from any
  /// thread. `service` and `metrics` must outlive the server. Throws InputError for options that
  /// cannot be (an unreadable certificate among them).
  GrpcServer(GrpcOptions options, RankingService& service, const ApiLimits& limits,
             http::Metrics& metrics, std::function<bool()> ready);
  /// Cuts off what drain() has left; waits for requests that run.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  /// Binds and starts to serve. Throws InputError when the address or port cannot be had.
  void start();
  /// The port that is listened on; 0 before start().
  std::uint16_t port() const;

  /// Ends in good order: is no longer ready, accepts no new call (UNAVAILABLE), and answers those
  /// that were accepted. What is not answered within `patience` is cut off. Returns whether nothing
  /// was. Requests that still run are waited for in any case. A drained server stays down.
  bool drain(std::chrono::milliseconds patience);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace limber
