#include "limber/core/data/replay_sampler.h"

#include <algorithm>

namespace limber {
namespace {

constexpr std::int64_t kRefresh = 4;  // adapted anew at every 1/4 more rows

}  // namespace

ReplaySampler::ReplaySampler(const Dataset& dataset, Options options) {
  std::int64_t in_batch = 0;
  for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
    const TaskRows& task = dataset.tasks[t];
    for (std::int64_t begin = task.begin; begin < task.train_end;) {
      const std::int64_t before = begin - task.begin;
      const std::int64_t end =
          std::min(task.train_end, begin + std::max<std::int64_t>(1, before / kRefresh));
      const std::int64_t support_begin = std::max(task.begin, begin - options.support);
      blocks_.push_back({static_cast<std::int64_t>(t), support_begin, begin, end});
      in_batch += end - support_begin;
      begin = end;
      if (in_batch >= options.rows_per_batch) {
        starts_.push_back(blocks_.size());
        in_batch = 0;
      }
    }
  }
  if (starts_.back() < blocks_.size()) starts_.push_back(blocks_.size());
}

EpisodePlan ReplaySampler::plan(std::int64_t i) const {
  EpisodePlan plan;
  const auto at = static_cast<std::size_t>(i);
  for (std::size_t b = starts_[at]; b < starts_[at + 1]; ++b) {
    const Block& block = blocks_[b];
    for (std::int64_t row = block.support_begin; row < block.begin; ++row) {
      plan.support.push_back(row);
    }
    for (std::int64_t row = block.begin; row < block.end; ++row) plan.query.push_back(row);
    plan.close_task(block.task);
  }
  return plan;
}

}  // namespace limber
