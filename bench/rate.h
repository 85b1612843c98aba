#pragma once

#include <chrono>
#include <ctime>

namespace limber {

/// Measures how much a second is done. On a busy machine, with one thread, `processor` counts only
/// the time in which this process ran.
class RateClock {
 public:
  explicit RateClock(bool processor) : processor_(processor), start_(now()) {}
  double seconds() const { return now() - start_; }

 private:
  double now() const {
    if (processor_) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    const auto time = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(time).count();
  }

  bool processor_;
  double start_;
};

}  // namespace limber
