#pragma once

#include <algorithm>
#include <chrono>
#include <limits>

#include "limber/core/base/main.h"

namespace limber::assign {

/// When a search must hand over the best it has: at a time, or when SIGINT or SIGTERM asks.
class Deadline {
 public:
  static Deadline after(double seconds) {
    Deadline deadline;
    // Beyond a century the clock's own range would be exceeded.
    if (seconds < 3e9) {
      deadline.end_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                         std::chrono::duration<double>(seconds));
    }
    return deadline;
  }
  static Deadline never() { return {}; }

  bool passed() const { return Clock::now() >= end_ || stop_requested(); }
  double seconds_left() const {
    if (end_ == Clock::time_point::max()) return std::numeric_limits<double>::infinity();
    return std::max(0.0, std::chrono::duration<double>(end_ - Clock::now()).count());
  }
  /// The end of a part of the work that may take `share` of what time is left.
  Deadline part(double share) const { return after(share * seconds_left()); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_ = Clock::time_point::max();
};

}  // namespace limber::assign
