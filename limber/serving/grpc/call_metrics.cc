#include "limber/serving/grpc/call_metrics.h"

namespace limber {
namespace {

constexpr std::array<const char*, kGrpcMethods> kMethodNames = {
    "ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"};
constexpr std::array<const char*, 17> kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

}  // namespace

CallMetrics::CallMetrics(http::Metrics& metrics)
    : metrics_(metrics),
      in_flight_(metrics.gauge("limber_grpc_in_flight", "Calls that have begun and not ended.")) {
  static_assert(kCodeNames.size() == kCodes);
  for (std::size_t m = 0; m < kGrpcMethods; ++m) {
    seconds_[m] = &metrics.histogram(
        "limber_grpc_request_seconds", "From a call's arrival to the end of its response.",
        http::Metrics::latency_bounds(), {{"method", kMethodNames[m]}});
  }
}

void CallMetrics::ended(GrpcMethod method, grpc::StatusCode code, double seconds) {
  const auto m = static_cast<std::size_t>(method), c = static_cast<std::size_t>(code);
  auto& slot = by_code_[m][c];
  http::Metrics::Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_.counter("limber_grpc_requests_total", "Calls answered.",
                                {{"method", kMethodNames[m]}, {"code", kCodeNames[c]}});
    slot.store(counter, std::memory_order_release);
  }
  counter->Increment();
  seconds_[m]->Observe(seconds);
  in_flight_.Decrement();
}

}  // namespace limber
