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

/// The processes that train one model together, over LibTorch's Gloo. Collective methods are called
/// by all of them, in the same order, or all of them wait. Tensors on graphics cards are summed
/// over NCCL, once use_cards() was called; all else is on the CPU.
///
/// When a process is gone the others throw Error, which says so and what to do.
class ProcessGroup {
 public:
  /// A collective under way.
  class Pending {
   public:
    Pending() = default;
    /// Until it is done; a second wait is none. Throws Error where another process is gone.
    void wait();

   private:
    friend class ProcessGroup;
    std::function<void()> wait_;
  };

  /// Meets the processes that RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT name: torchrun sets
  /// them, and so can Slurm or Kubernetes. Null where there is one process alone. Collective.
  /// Throws InputError for values that are none, Error where the others do not come.
  static std::shared_ptr<ProcessGroup> from_environment();
  /// What WORLD_SIZE says, before anybody is met; 1 without it. Throws InputError.
  static std::int64_t world_size();
  /// Meets those that hold the same store. Collective.
  ProcessGroup(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size);
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_first() const { return rank_ == 0; }
  RankOf rank_of() const { return {rank_, size_}; }
  /// The first process on this machine, and how many there are on it.
  int first_of_host() const { return first_of_host_; }
  int size_of_host() const { return size_of_host_; }
  /// How many of these come before this one.
  int place_on_host() const { return place_on_host_; }

  /// From now on tensors may be on graphics cards, one for each process. Throws InputError where
  /// this Limber was built without NCCL.
  void use_cards();

  /// Replaces the tensor by its sum over all processes. It must be contiguous. Collective, as is
  /// what follows.
  Pending start_all_reduce(torch::Tensor tensor);
  void all_reduce(torch::Tensor tensor) { start_all_reduce(std::move(tensor)).wait(); }
  /// Replaces the tensor by the first process's.
  void broadcast(torch::Tensor tensor);
  double broadcast(double value);

  /// Sends runs of values to each process, and receives theirs: `send` holds send_counts[r] values
  /// for process r, one run after the other; so does the result, receive_counts[r] of r.
  torch::Tensor all_to_all(const torch::Tensor& send, const std::vector<std::int64_t>& send_counts,
                           const std::vector<std::int64_t>& receive_counts);
  /// Everybody's tensor, by rank: of any number of rows, but of the same columns [rows, columns].
  std::vector<torch::Tensor> all_gather(const torch::Tensor& mine);
  void barrier();
  /// From one process to another; the others have no part in it.
  void send(torch::Tensor tensor, int to);
  void receive(torch::Tensor tensor, int from);
  /// Tells those who wait for it that something is done, or what went wrong with it, however long
  /// it took: other waits end after LIMBER_RANK_TIMEOUT. The wait throws Error of a `problem`. Not
  /// collective.
  void announce(const std::string& what, const std::string& problem = "");
  void wait_for(const std::string& what);

 private:
  struct Group;
  std::unique_ptr<Group> group_;
  int rank_, size_, first_of_host_ = 0, size_of_host_ = 1, place_on_host_ = 0;
};

}  // namespace limber
