#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "limber/core/data/task_batch.h"
#include "limber/training/meta/episode.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// What one batch says about the weights. Gradients stand in `.grad` of the model's parameters and
/// of `table_rows`.
struct OuterGradients {
  double loss_sum = 0, loss_count = 0;    ///< of the query rows, by weight
  std::vector<torch::Tensor> table_rows;  ///< leaves, by embedding table
  std::int64_t shares = 1;                ///< into how many the batch was divided
};

/// The query loss of a batch, per row, and its gradients: those of the parameters are replaced.
///
/// On the CPU the tasks (without support, the rows) are divided among the threads, each with a
/// graph of its own from the inputs to its share of the loss: a batch is many small operations, and
/// threads that meet after each of them spend their time waiting. Shares are added in a fixed
/// order, so that the same number of threads gives the same bits. A model with dropout runs
/// undivided, because its masks come from one generator.
///
/// `before_backward` is called right before a backward pass that computes the parameters' gradients
/// in one piece; not where the batch is divided.
OuterGradients outer_gradients(RankingModel& model, const TaskBatch& batch,
                               const EpisodeOptions& options,
                               const std::function<void()>& before_backward = {});

}  // namespace limber
