#pragma once

#include <torch/torch.h>

#include <vector>

#include "limber/core/data/task_batch.h"
#include "limber/training/layers/segments.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

struct EpisodeOptions {
  /// Outer gradients are wanted: leaves, parameters and, with `second_order`, the inner steps
  /// themselves are recorded.
  bool train = false;
  bool second_order = false;
  std::int64_t steps = 0;  ///< gradient steps of the inner loop
  /// [labels]: weights of the labels in the outer loss; undefined: each counts once.
  torch::Tensor label_weights = {};
  /// What the outer loss is divided by, where the batch is a part of a larger one: the count of all
  /// of it; negative: the batch's own.
  double loss_count = -1;
  bool last_layers = false;  ///< what the last layers read of the query rows is wanted
};

struct Episode {
  torch::Tensor query_logits;   ///< [query rows, labels]
  torch::Tensor query_labels;   ///< [query rows, labels], NaN = absent
  torch::Tensor query_weights;  ///< [query rows, 1]; undefined: each row counts once
  torch::Tensor embeddings;  ///< [tasks, dim]: what would be stored; undefined without meta block
  torch::Tensor members;     ///< [tasks, member width]: all that the global block gets of a member
  std::vector<torch::Tensor> table_rows;  ///< leaves, by embedding table
  LastLayers last;                        ///< of the query rows, where it is wanted
  /// Support loss of all tasks before each inner step, per support row; for the training log.
  std::vector<double> support_losses;
};

/// Rows ready for the model, support and query rows apart. A model without support has one task of
/// query rows only.
struct EpisodeRows {
  Segments support, query;
  torch::Tensor support_inputs, query_inputs;    ///< [rows, all input columns]
  torch::Tensor support_labels, query_labels;    ///< [rows, labels], NaN = absent
  torch::Tensor support_weights, query_weights;  ///< [rows, 1]; undefined: each row counts once
};

/// `inputs`: of all rows of the batch, from assemble_inputs.
EpisodeRows divide_rows(const RankingModel& model, const TaskBatch& batch,
                        const torch::Tensor& inputs);

/// run_episode below, from rows whose inputs are at hand; table_rows stays empty.
Episode run_tasks(RankingModel& model, const EpisodeRows& rows, const EpisodeOptions& options);

/// Runs a batch of tasks: the inner loop on each task's support rows, all tasks at once, through
/// the frozen global block, then the query rows with the vector that would be stored (LiMAML,
/// arXiv 2403.00803; the recursion of the exact gradient is autograd's).
///
/// The inner step of task t with n_t support rows (the sum of their weights w_i, if they have any)
/// is
///     theta <- theta - rate * grad sum_i w_i loss_i / (n_t + kappa),
/// so that it grows with the evidence; where the mean gradient of the member's embedding is longer
/// than kInnerClip (core/config/inner_clip.h), it is cut to that length first. The meta embedding
/// at interaction level is
///     e_t = e_default + sum_i w_i M(x_i; theta_t) / (n_t + kappa_pooling);
/// at member level M(x_t; theta_t). (Shrinkage and the default are Limber's choice.)
///
/// `batch` must outlive the backward pass.
Episode run_episode(RankingModel& model, const TaskBatch& batch, const EpisodeOptions& options);

/// Sum of the binary cross-entropies of all present labels, and how many there are, by weight.
/// Scalar tensors. `weights` [rows, 1], or undefined: each row counts once; `label_weights`
/// [labels], or undefined: each label does.
struct LossSum {
  torch::Tensor sum, count;
  /// Loss of one row; 0 where no row counts.
  torch::Tensor mean() const { return sum / count.clamp_min(1e-12); }
};
LossSum loss_sum(const torch::Tensor& logits, const torch::Tensor& labels,
                 const torch::Tensor& weights = {}, const torch::Tensor& label_weights = {});
/// The count alone, a scalar.
torch::Tensor loss_count(const torch::Tensor& labels, const torch::Tensor& weights = {},
                         const torch::Tensor& label_weights = {});
/// And that of a batch's query rows, without a pass through the model.
double loss_count(const RankingModel& model, const TaskBatch& batch,
                  const torch::Tensor& label_weights);

}  // namespace limber
