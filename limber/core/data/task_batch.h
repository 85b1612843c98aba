#pragma once

#include <cstdint>
#include <vector>

#include "limber/core/data/row_batch.h"

namespace limber {

/// Tasks with their support and query rows. `rows` holds the support rows of all tasks, task by
/// task, then the query rows likewise.
struct TaskBatch {
  std::vector<std::int64_t> tasks;            ///< [tasks]: indices into Dataset::tasks
  std::vector<std::int64_t> support_offsets;  ///< [tasks + 1]
  std::vector<std::int64_t> query_offsets;    ///< [tasks + 1]
  RowBatch rows;

  std::int64_t size() const { return static_cast<std::int64_t>(tasks.size()); }
  std::int64_t support_rows() const { return support_offsets.empty() ? 0 : support_offsets.back(); }
  std::int64_t query_rows() const { return query_offsets.empty() ? 0 : query_offsets.back(); }
};

/// Which rows a task batch is made of, before they are gathered.
struct EpisodePlan {
  std::vector<std::int64_t> tasks;
  std::vector<std::int64_t> support, query;  ///< rows of the data set
  std::vector<std::int64_t> support_offsets = {0}, query_offsets = {0};

  /// Adds the rows added to `support` and `query` since the last call as one task.
  void close_task(std::int64_t task);
};

/// Gathers the rows of a plan.
void gather_episode(const EpisodePlan& plan, BatchMaker& maker, TaskBatch& batch);

/// A source of plans: one epoch of training, or one pass over a part of the data.
class EpisodeSampler {
 public:
  virtual ~EpisodeSampler() = default;
  virtual std::int64_t batches() const = 0;
  /// The i-th batch; any i at any time, so that a resumed run goes on where it stopped.
  virtual EpisodePlan plan(std::int64_t i) const = 0;
};

}  // namespace limber
