#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/data/task_batch.h"

namespace limber {

/// One epoch of meta-training: every task with at least two training rows once, in random order.
/// The support size is drawn from 0 to `support`, so that a member without history is a trained
/// case: log-uniformly, uniformly, or by a coin either way (`mixed`). With time, the query rows
/// follow the support rows; without, both are drawn at random.
class TaskSampler : public EpisodeSampler {
 public:
  struct Options {
    std::int64_t tasks_per_batch = 64, support = 100, query = 400;
    std::string support_sizes = "mixed";
    std::uint64_t seed = 1;
  };
  TaskSampler(const Dataset& dataset, Options options, std::int64_t epoch);
  std::int64_t batches() const override;
  EpisodePlan plan(std::int64_t i) const override;

 private:
  const Dataset& dataset_;
  Options options_;
  std::uint64_t epoch_seed_;
  std::vector<std::int32_t> order_;
};

/// One epoch over single training rows, for models that use no support. Rows are shuffled in
/// blocks of `block` through a permutation that needs no memory, then within windows of
/// `window` rows: random enough to learn from, local enough to stream from disk.
class RowSampler : public EpisodeSampler {
 public:
  RowSampler(const Dataset& dataset, std::int64_t batch, std::uint64_t seed, std::int64_t epoch);
  std::int64_t batches() const override;
  EpisodePlan plan(std::int64_t i) const override;

 private:
  static constexpr std::int64_t block = 32, window_batches = 16;
  void fill_window(std::int64_t window) const;

  const Dataset& dataset_;
  std::int64_t batch_, rows_ = 0;
  std::uint64_t epoch_seed_;
  std::vector<std::int64_t> train_before_;  ///< training rows before each task
  mutable std::int64_t filled_ = -1;
  mutable std::vector<std::int64_t> window_rows_;
};

/// Every task that has query rows in a part, with the support that would be known then: for whole
/// members the first half of their rows, at most `support`; else their latest rows before the
/// part. Batches are bounded by rows.
class EvaluationSampler : public EpisodeSampler {
 public:
  struct Options {
    Part part = Part::validation;
    std::int64_t support = 100;        ///< most support rows kept (0 = none)
    std::int64_t support_limit = 100;  ///< what the query rows leave room for
    std::int64_t rows_per_batch = 16384;
  };
  EvaluationSampler(const Dataset& dataset, Options options);
  std::int64_t batches() const override { return static_cast<std::int64_t>(starts_.size()) - 1; }
  EpisodePlan plan(std::int64_t i) const override;
  std::int64_t query_rows() const { return query_rows_; }

 private:
  struct Rows {
    std::int64_t support_begin, support_end, query_begin, query_end;
  };
  Rows rows_of(std::int64_t task) const;

  const Dataset& dataset_;
  Options options_;
  std::vector<std::int64_t> tasks_;
  std::vector<std::size_t> starts_;
  std::int64_t query_rows_ = 0;
};

/// Every task with its latest `support` rows and no query: what `adapt` needs.
class AdaptationSampler : public EpisodeSampler {
 public:
  AdaptationSampler(const Dataset& dataset, std::int64_t support, std::int64_t rows_per_batch);
  std::int64_t batches() const override { return static_cast<std::int64_t>(starts_.size()) - 1; }
  EpisodePlan plan(std::int64_t i) const override;

 private:
  const Dataset& dataset_;
  std::int64_t support_;
  std::vector<std::size_t> starts_;
};

}  // namespace limber
