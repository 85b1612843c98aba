#pragma once

#include <cstdint>

#include "limber/core/data/task_batch.h"

namespace limber {

/// One of several processes among which a pass over the data is divided.
struct RankOf {
  std::int64_t rank = 0, world_size = 1;
};

/// Of each batch of another sampler, the part that belongs to one process: a run of its tasks, or
/// of its rows where it has no tasks. The parts of all processes are the batch, in order. A part is
/// empty where there are fewer tasks than processes.
class ShareSampler : public EpisodeSampler {
 public:
  /// `whole` must outlive it. `support_passes`: how often a support row passes through the model
  /// beside a query row's one time, so that the parts cost about the same.
  ShareSampler(const EpisodeSampler& whole, RankOf share, std::int64_t support_passes = 1);
  std::int64_t batches() const override { return whole_.batches(); }
  EpisodePlan plan(std::int64_t i) const override;

 private:
  const EpisodeSampler& whole_;
  RankOf share_;
  std::int64_t support_passes_;
};

/// Every batch of another sampler whole, by turns: rank r gets batches r, r + world_size, ... Each
/// process gets as many; those past the end are empty.
class RoundRobinSampler : public EpisodeSampler {
 public:
  RoundRobinSampler(const EpisodeSampler& whole, RankOf share) : whole_(whole), share_(share) {}
  std::int64_t batches() const override {
    return (whole_.batches() + share_.world_size - 1) / share_.world_size;
  }
  EpisodePlan plan(std::int64_t i) const override;

 private:
  const EpisodeSampler& whole_;
  RankOf share_;
};

/// Bounds of `parts` runs of tasks that cost about the same: [parts + 1], ascending from 0 to the
/// number of tasks. `costs`: by task, not negative.
std::vector<std::int64_t> equal_shares(const std::vector<std::int64_t>& costs, std::int64_t parts);

}  // namespace limber
