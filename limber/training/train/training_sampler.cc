#include "limber/training/train/training_sampler.h"

namespace limber {

TaskSampler::Options task_sampler_options(const Config& config) {
  TaskSampler::Options options;
  options.tasks_per_batch = config.meta.tasks_per_batch;
  options.support = config.meta.support;
  options.support_sizes = config.meta.support_sizes;
  options.query = config.meta.query;
  options.seed = config.train.seed;
  return options;
}

std::unique_ptr<EpisodeSampler> training_sampler(const RankingModel& model, const Dataset& dataset,
                                                 const Config& config, std::int64_t epoch) {
  if (model->uses_support()) {
    return std::make_unique<TaskSampler>(dataset, task_sampler_options(config), epoch);
  }
  return std::make_unique<RowSampler>(dataset, config.train.batch, config.train.seed, epoch);
}

}  // namespace limber
