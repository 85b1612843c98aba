#include "limber/serving/http/metrics.h"

#include <prometheus/text_serializer.h>

#include <exception>
#include <sstream>

#include "limber/core/base/error.h"
#include "limber/serving/http/process_metrics.h"

namespace limber::http {
namespace {

template <class Add>
auto& added(const std::string& name, const Add& add) {
  try {
    return add();
  } catch (const std::exception& exception) {
    throw Error("metric {}: {}", name, exception.what());
  }
}

}  // namespace

Metrics::Metrics() {
  gauge("process_resident_memory_bytes", "Memory that the process holds in RAM.",
        resident_memory_bytes);
  gauge("process_start_time_seconds", "When the process began, in seconds since 1970.",
        [start = process_start_time()] { return start; });
  counters_asked_.emplace_back(&counter("process_cpu_seconds_total",
                                        "Processor time that the process has used, in seconds."),
                               processor_seconds);
}

Metrics::Counter& Metrics::counter(const std::string& name, const std::string& help,
                                   const Labels& labels) {
  return added(name, [&]() -> Counter& {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
  });
}

Metrics::Gauge& Metrics::gauge(const std::string& name, const std::string& help,
                               const Labels& labels) {
  return added(name, [&]() -> Gauge& {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
  });
}

Metrics::Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                                       const std::vector<double>& bounds, const Labels& labels) {
  return added(name, [&]() -> Histogram& {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(labels,
                                                                                      bounds);
  });
}

void Metrics::gauge(const std::string& name, const std::string& help,
                    std::function<double()> value) {
  Gauge& gauge = this->gauge(name, help);
  const std::lock_guard lock(mutex_);
  gauges_asked_.emplace_back(&gauge, std::move(value));
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [gauge, value] : gauges_asked_) gauge->Set(value());
  // Increment() leaves a negative amount aside, so what is counted never falls.
  for (const auto& [counter, value] : counters_asked_) {
    counter->Increment(value() - counter->Value());
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, registry_.Collect());
  return std::move(text).str();
}

Handler Metrics::handler() const {
  return [this](const Request&) {
    return Response{.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = text()};
  };
}

const std::vector<double>& Metrics::latency_bounds() {
  static const std::vector<double> bounds = {0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003,
                                             0.005,   0.0075, 0.01,    0.015, 0.02,   0.03,  0.05,
                                             0.1,     0.2,    0.5,     1,     2.5,    5,     10};
  return bounds;
}

}  // namespace limber::http
