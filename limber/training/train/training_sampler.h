#pragma once

#include <memory>

#include "limber/core/config/options.h"
#include "limber/core/data/samplers.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// How a config draws a member's support and query rows in training.
TaskSampler::Options task_sampler_options(const Config& config);

/// One epoch of training: of episodes, or of single rows for a model without support. `dataset`
/// must outlive the sampler.
std::unique_ptr<EpisodeSampler> training_sampler(const RankingModel& model, const Dataset& dataset,
                                                 const Config& config, std::int64_t epoch);

}  // namespace limber
