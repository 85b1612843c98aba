#pragma once

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

namespace limber {

/// Times of single calls.
class Latencies {
 public:
  /// Calls work(0), work(1), ... for some seconds, after a tenth of that unmeasured.
  template <class Work>
  void measure(double seconds, Work work) {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) {
      return std::chrono::duration<double>(Clock::now() - start).count();
    };
    std::size_t i = 0;
    for (const auto start = Clock::now(); since(start) < seconds / 10;) work(i++);
    const auto start = Clock::now();
    while (since(start) < seconds) {
      const auto before = Clock::now();
      work(i++);
      seconds_.push_back(since(before));
    }
  }

  double mean() const {
    double sum = 0;
    for (const double value : seconds_) sum += value;
    return sum / static_cast<double>(seconds_.size());
  }
  double quantile(double share) {
    std::sort(seconds_.begin(), seconds_.end());
    const auto at = static_cast<std::size_t>(share * static_cast<double>(seconds_.size() - 1));
    return seconds_[at];
  }
  nlohmann::json summary() {
    return {{"mean_us", 1e6 * mean()},
            {"p50_us", 1e6 * quantile(0.5)},
            {"p99_us", 1e6 * quantile(0.99)}};
  }

 private:
  std::vector<double> seconds_;
};

}  // namespace limber
