#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "limber/core/data/share_sampler.h"

namespace c10d {
class Store;
}  // namespace c10d

namespace limber {

/// The processes that train one model together, over LibTorch's Gloo. Every method is collective:
/// all processes call it, in the same order, or all of them wait.
///
/// When a process is gone the others throw Error, which says so and what to do.
class Ranks {
 public:
  /// A collective under way.
  class Pending {
   public:
    Pending() = default;
    /// Until it is done; a second wait is none. Throws Error where another process is gone.
    void wait();

   private:
    friend class Ranks;
    std::function<void()> wait_;
  };

  /// Meets the processes that RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT name: torchrun sets
  /// them, and so can Slurm or Kubernetes. Null where there is one process alone. Throws InputError
  /// for values that are none, Error where the others do not come.
  static std::shared_ptr<Ranks> from_environment();
  /// What WORLD_SIZE says, before anybody is met; 1 without it. Throws InputError.
  static std::int64_t world_size();
  /// Meets those that hold the same store.
  Ranks(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool first() const { return rank_ == 0; }
  ShareOf share() const { return {rank_, size_}; }

  /// Replaces the tensor by its sum over all processes. It must be contiguous and on the CPU.
  Pending start_sum(torch::Tensor tensor);
  void sum(torch::Tensor tensor) { start_sum(std::move(tensor)).wait(); }
  /// The first process's value.
  double of_first(double value);

  /// Sends runs of values to each process, and receives theirs: `send` holds send_counts[r] values
  /// for process r, one run after the other; so does the result, receive_counts[r] of r.
  torch::Tensor exchange(const torch::Tensor& send, const std::vector<std::int64_t>& send_counts,
                         const std::vector<std::int64_t>& receive_counts);
  /// Everybody's tensor, by rank: of any number of rows, but of the same columns [rows, columns].
  std::vector<torch::Tensor> gather(const torch::Tensor& mine);
  /// From one process to another; the others have no part in it.
  void send(torch::Tensor tensor, int to);
  void receive(torch::Tensor tensor, int from);
  void barrier();

 private:
  struct Group;
  std::unique_ptr<Group> group_;
  int rank_, size_;
};

}  // namespace limber
