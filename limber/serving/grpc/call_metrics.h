#pragma once

#include <grpcpp/support/status_code_enum.h>

#include <array>
#include <atomic>
#include <cstddef>

#include "limber/serving/http/metrics.h"

namespace limber {

/// The protocol's methods.
enum class GrpcMethod {
  kServerLive,
  kServerReady,
  kModelReady,
  kServerMetadata,
  kModelMetadata,
  kModelInfer
};
inline constexpr std::size_t kGrpcMethods = 6;

/// What is counted of calls, by method. Recording looks nothing up. Thread-safe.
class CallMetrics {
 public:
  /// `metrics` must outlive this object.
  explicit CallMetrics(http::Metrics& metrics);

  void begun() { in_flight_.Increment(); }
  /// A call has ended; `seconds` from its arrival to the end of its response.
  void ended(GrpcMethod method, grpc::StatusCode code, double seconds);

 private:
  static constexpr std::size_t kCodes = 17;

  http::Metrics& metrics_;
  http::Metrics::Gauge& in_flight_;
  std::array<http::Metrics::Histogram*, kGrpcMethods> seconds_ = {};
  /// Resolved when a code first occurs.
  std::array<std::array<std::atomic<http::Metrics::Counter*>, kCodes>, kGrpcMethods> by_code_ = {};
};

}  // namespace limber
