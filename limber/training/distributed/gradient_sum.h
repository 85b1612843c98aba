#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "limber/training/distributed/process_group.h"

namespace limber {

/// Sums the gradients of dense parameters over the processes, in buckets: one whose gradients are
/// all there is on its way while the backward pass goes on to the layers before it (as in Li et
/// al. 2020, "PyTorch Distributed", section 3.2).
class GradientSum {
 public:
  GradientSum(std::shared_ptr<ProcessGroup> ranks, std::vector<torch::Tensor> parameters,
              std::int64_t bucket_bytes = 1 << 20);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// Right before a backward pass that computes the parameters' gradients in one piece. It may be
  /// left out; then nothing overlaps.
  void begin() { listening_ = true; }
  /// After it: leaves the sums in the parameters' gradients. One that no process has a gradient of
  /// keeps none.
  void finish();

  /// Spent by this process in finish, which is what the backward pass did not hide.
  double seconds() const { return seconds_; }

 private:
  struct Bucket {
    torch::Tensor values;  ///< of its parameters' gradients, then 1 for each that has one
    std::vector<std::size_t> parameters;
    std::size_t missing = 0;
    ProcessGroup::Pending pending;
  };
  struct Place {
    std::size_t bucket;
    std::int64_t begin, flag;
    bool stored = false;
  };

  void store(std::size_t parameter, const torch::Tensor& gradient);
  void start_complete();
  torch::Tensor values_of(const Place& place, const torch::Tensor& parameter);

  std::shared_ptr<ProcessGroup> ranks_;
  std::vector<torch::Tensor> parameters_;
  std::vector<unsigned> hooks_;
  std::vector<Bucket> buckets_;
  std::vector<Place> places_;  ///< by parameter
  std::size_t started_ = 0;    ///< buckets; every process starts them in the same order
  bool listening_ = false;
  double seconds_ = 0;
};

}  // namespace limber
