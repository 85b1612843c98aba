#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace limber::screen {

/// Calls `work(begin, end, part)` for `threads` (>= 1) contiguous parts of [0, count) at once, and
/// returns when all have. The first exception of any part is thrown again. What the parts add up
/// must not depend on where they were cut: see FixedSum and ZHistogram.
template <class Work>
void parallel_parts(std::int64_t count, int threads, Work&& work) {
  const std::int64_t parts = std::max<std::int64_t>(1, std::min<std::int64_t>(threads, count));
  if (parts == 1) {
    work(std::int64_t{0}, count, 0);
    return;
  }
  std::exception_ptr failure;
  std::mutex guard;
  {
    std::vector<std::jthread> workers;
    for (std::int64_t part = 0; part < parts; ++part) {
      workers.emplace_back([&, part] {
        try {
          work(count * part / parts, count * (part + 1) / parts, static_cast<int>(part));
        } catch (...) {
          const std::lock_guard lock(guard);
          if (!failure) failure = std::current_exception();
        }
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace limber::screen
