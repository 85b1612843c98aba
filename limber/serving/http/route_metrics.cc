#include "limber/serving/http/route_metrics.h"

#include <algorithm>

namespace limber::http {

void RouteMetrics::attach(Metrics& metrics, const std::string& method, const std::string& pattern) {
  metrics_ = &metrics;
  method_ = method;
  pattern_ = pattern;
  const Metrics::Labels labels = {{"method", method}, {"route", pattern}};
  seconds_ = &metrics.histogram("limber_http_request_seconds",
                                "From a request's first byte to its response's last.",
                                Metrics::latency_bounds(), labels);
  wait_ =
      &metrics.histogram("limber_http_queue_seconds", "From a request's acceptance to a worker.",
                         Metrics::latency_bounds(), labels);
  constexpr const char* kReasons[kShedKinds] = {"route_full", "queue_full", "wait_too_long",
                                                "body_memory", "expired"};
  for (std::size_t i = 0; i < kShedKinds; ++i) {
    Metrics::Labels with_reason = labels;
    with_reason["reason"] = kReasons[i];
    shed_[i] =
        &metrics.counter("limber_http_shed_total", "Requests turned away unheard.", with_reason);
  }
}

void RouteMetrics::answered(unsigned status, double seconds) {
  const unsigned index = std::clamp(status, kFirstStatus, kFirstStatus + kStatuses - 1);
  auto& slot = by_status_[index - kFirstStatus];
  Metrics::Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_->counter(
        "limber_http_requests_total", "Requests answered.",
        {{"method", method_}, {"route", pattern_}, {"status", std::to_string(index)}});
    slot.store(counter, std::memory_order_release);
  }
  counter->Increment();
  seconds_->Observe(seconds);
}

}  // namespace limber::http
