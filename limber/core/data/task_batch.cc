#include "limber/core/data/task_batch.h"

namespace limber {

void EpisodePlan::close_task(std::int64_t task) {
  tasks.push_back(task);
  support_offsets.push_back(static_cast<std::int64_t>(support.size()));
  query_offsets.push_back(static_cast<std::int64_t>(query.size()));
}

void gather_episode(const EpisodePlan& plan, BatchMaker& maker, TaskBatch& batch) {
  batch.tasks = plan.tasks;
  batch.support_offsets = plan.support_offsets;
  batch.query_offsets = plan.query_offsets;
  std::vector<std::int64_t> rows = plan.support;
  rows.insert(rows.end(), plan.query.begin(), plan.query.end());
  maker.gather(rows, batch.rows);
}

}  // namespace limber
