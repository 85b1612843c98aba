#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "limber/serving/http/handler.h"

namespace limber::http {

/// Numbers about a running program, in the text that Prometheus reads. What is asked for here is a
/// handle that lives as long as this object: ask once, keep it, and recording is an atomic addition
/// (for a histogram a short lock). Thread-safe.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;

  /// Begins with the process's own: process_resident_memory_bytes, process_cpu_seconds_total,
  /// process_start_time_seconds.
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Asking again with the same name and labels gives the same handle. Throws Error for a name
  /// that is malformed or that another kind of metric bears.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// `bounds` are the buckets' upper ends, ascending.
  Histogram& histogram(const std::string& name, const std::string& help,
                       const std::vector<double>& bounds, const Labels& labels = {});
  /// A gauge whose value is asked for whenever the text is written; `value` must stay callable,
  /// from any thread, as long as this object lives.
  void gauge(const std::string& name, const std::string& help, std::function<double()> value);

  /// The text exposition format 0.0.4.
  std::string text() const;
  /// GET /metrics. This object must outlive the server.
  Handler handler() const;

  /// Upper ends for durations of requests, in seconds: 0.25 ms to 10 s, densest where
  /// services live.
  static const std::vector<double>& latency_bounds();

 private:
  prometheus::Registry registry_;
  mutable std::mutex mutex_;
  std::vector<std::pair<Gauge*, std::function<double()>>> gauges_asked_;
  std::vector<std::pair<Counter*, std::function<double()>>> counters_asked_;
};

}  // namespace limber::http
