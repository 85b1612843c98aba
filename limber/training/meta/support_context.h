#pragma once

#include <torch/torch.h>

#include "limber/training/layers/segments.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// What a batch's support rows say about their tasks, beside what the inner loop finds: computed
/// once, the same for all inner steps. Undefined tensors where the model has no such part.
struct SupportContext {
  Segments support, query;
  torch::Tensor support_inputs, query_inputs;  ///< [rows, all input columns]
  torch::Tensor support_labels;                ///< [support rows, labels]
  torch::Tensor support_weights;               ///< [support rows, 1]; undefined: each counts once
  torch::Tensor evidence;  ///< [tasks, 1]: how many support rows a task has, by weight

  /// by_row [support rows, n], each row as often as it counts.
  torch::Tensor weighed(const torch::Tensor& by_row) const {
    return support_weights.defined() ? by_row * support_weights : by_row;
  }
  /// How much each support row counts beside the others: [support rows, 1], or a plain 1.
  torch::Tensor own_weight() const {
    return support_weights.defined() ? support_weights : torch::ones({1, 1}, evidence.options());
  }

  torch::Tensor statistics_by_task;  ///< [tasks, statistics width]
  torch::Tensor history_by_task;     ///< [tasks, history dim], mean pooling
  torch::Tensor history_by_query;    ///< [query rows, history dim], attention pooling
  torch::Tensor start_by_task;       ///< [tasks, dim]: start of the embedding from the history
  /// The same for the support rows, each without its own label; for the inner loop alone,
  /// undefined without a meta block.
  torch::Tensor statistics_by_support, history_by_support, start_by_support;
};

/// Fills everything below the evidence. A support row is described by the *other* support rows of
/// its task: in the inner loop it must not see its own label among its inputs.
void describe_support(RankingModel& model, SupportContext& context);

/// Joins what the global block is told of a member, in its order; undefined parts are left out.
torch::Tensor member_vector(const RankingModel& model, const torch::Tensor& embedding,
                            const torch::Tensor& statistics, const torch::Tensor& history);

}  // namespace limber
