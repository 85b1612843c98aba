#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "limber/training/distributed/process_group.h"

namespace limber {

/// Runs `body` on `size` threads that are each other's ranks, and rethrows what the first of them
/// threw. One rank alone gets null, as one process does.
inline void run_ranks(int size, const std::function<void(std::shared_ptr<ProcessGroup>)>& body) {
  if (size == 1) return body(nullptr);
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        torch::set_num_threads(1);
        body(std::make_shared<ProcessGroup>(store, rank, size));
      } catch (...) {
        failures[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace limber
