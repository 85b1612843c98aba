#pragma once

#include <torch/torch.h>

#include "limber/core/config/options.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// train.label_weights as [labels], or undefined where none is given: each label counts once.
/// Throws InputError where all are 0.
torch::Tensor label_weights(const TrainOptions& options, const RankingModel& model);

}  // namespace limber
