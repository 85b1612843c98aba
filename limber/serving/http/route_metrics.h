#pragma once

#include <array>
#include <atomic>
#include <string>

#include "limber/serving/http/metrics.h"

namespace limber::http {

/// Why a request was turned away unheard.
enum class Shed { kRouteFull, kQueueFull, kWaitTooLong, kBodyMemory, kExpired };
inline constexpr std::size_t kShedKinds = 5;

/// What is counted of one route. Handles are resolved when the route is made, those of a status
/// when it first occurs: recording looks nothing up.
class RouteMetrics {
 public:
  RouteMetrics() = default;
  /// Before any other call. `pattern` and `method` become labels.
  void attach(Metrics& metrics, const std::string& method, const std::string& pattern);

  /// A request was answered; `seconds` from its first byte to the response's last.
  void answered(unsigned status, double seconds);
  void waited(double seconds) { wait_->Observe(seconds); }
  void shed(Shed reason) { shed_[static_cast<std::size_t>(reason)]->Increment(); }

 private:
  static constexpr unsigned kFirstStatus = 100, kStatuses = 500;

  Metrics* metrics_ = nullptr;
  std::string method_, pattern_;
  std::array<std::atomic<Metrics::Counter*>, kStatuses> by_status_ = {};
  Metrics::Histogram* seconds_ = nullptr;
  Metrics::Histogram* wait_ = nullptr;
  std::array<Metrics::Counter*, kShedKinds> shed_ = {};
};

}  // namespace limber::http
