#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>

namespace limber {

/// As many threads as asked for, or one for each core where none are.
inline std::size_t thread_count(std::size_t asked) {
  return asked > 0 ? asked : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace limber
