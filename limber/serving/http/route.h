#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "limber/serving/http/handler.h"
#include "limber/serving/http/route_metrics.h"

namespace limber::http {

/// A method and a pattern, what answers them, and how that is going.
struct Route {
  std::string method;
  std::string pattern;
  Handler handler;             ///< this one,
  AsyncHandler async_handler;  ///< or that one
  RouteOptions options;        ///< with the server's own where the caller gave none

  std::atomic<std::size_t> in_flight = 0;
  std::atomic<double> service_seconds = 0;  ///< smoothed, of a worker's time; 0: none yet
  RouteMetrics metrics;

  /// One more duration of a worker's time. An old one's weight falls to 1/e in sixteen requests.
  void observe_service(double seconds) {
    double before = service_seconds.load(std::memory_order_relaxed), after = 0;
    do {
      after = before == 0 ? seconds : before + (seconds - before) / 16;
    } while (!service_seconds.compare_exchange_weak(before, after, std::memory_order_relaxed));
  }
};

}  // namespace limber::http
