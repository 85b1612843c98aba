#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// Tensors by the name that they have in an artifact: "global_block.head.weight", "tables.item".
using NamedTensors = std::map<std::string, torch::Tensor>;

/// What the training rows say about each weight: the diagonal of the empirical Fisher information,
///
///     H = sum_i w_i g_i^2 / sum_i w_i c_i,
///
/// with g_i the gradient of the loss of training row i alone, w_i its weight and c_i how many
/// labels it has (by their weights). For one label and no weights that is the mean of the squared
/// gradients of single rows, an estimate of the curvature of the training loss.
struct Fisher {
  NamedTensors tensors;   ///< of every parameter and every table; on the CPU
  std::int64_t rows = 0;  ///< that were looked at
  double examples = 0;    ///< sum_i w_i c_i over all training rows: what H is the mean of
};

/// Backward passes that an estimate is made of unless told otherwise.
inline constexpr std::int64_t kFisherPasses = 128;

/// Looks at up to `rows` training rows, evenly chosen among all. With at least as many `passes` as
/// rows, each has a backward pass of its own. With fewer, several share one, each with a random
/// sign s_i: since the signs are independent, the mean of
///
///     (sum_i s_i g_i)^2   is   sum_i g_i^2,
///
/// an estimate without bias whose relative error is about sqrt(2 / passes), and 0 for the row of a
/// table that no two rows of one pass touch. (The square of the gradient of their mean loss,
/// without signs, would be another thing, smaller by about as many times as there are rows.)
///
/// In a model with support, g_i is that of the query row under its member's adapted embedding,
/// through the inner steps and the support rows, as in training, with supports drawn anew. Dropout
/// is off. The same threads give the same bits. Nothing when a signal asks to stop.
std::optional<Fisher> empirical_fisher(RankingModel& model, const Dataset& dataset,
                                       const Config& config, std::int64_t rows,
                                       std::int64_t passes = kFisherPasses);

/// sum_i w_i c_i over all training rows.
double training_examples(const Dataset& dataset, const torch::Tensor& label_weights);

}  // namespace limber
