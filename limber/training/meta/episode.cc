#include "limber/training/meta/episode.h"

#include <optional>

#include "limber/training/layers/input_assembly.h"
#include "limber/training/meta/inner_loop.h"
#include "limber/training/meta/support_context.h"

namespace limber {
namespace {

using torch::Tensor;

Tensor labels_of(const TaskBatch& batch, std::int64_t labels, const torch::TensorOptions& options) {
  return torch::from_blob(const_cast<float*>(batch.rows.labels.data()), {batch.rows.rows, labels},
                          torch::kFloat)
      .to(options, /*non_blocking=*/false, /*copy=*/true);
}

/// [rows, 1], or undefined.
Tensor weights_of(const TaskBatch& batch, const torch::TensorOptions& options) {
  if (batch.rows.weights.empty()) return {};
  return torch::from_blob(const_cast<float*>(batch.rows.weights.data()), {batch.rows.rows, 1},
                          torch::kFloat)
      .to(options, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

LossSum loss_sum(const Tensor& logits, const Tensor& labels, const Tensor& weights) {
  Tensor present = torch::isnan(labels).logical_not();
  if (weights.defined()) present = present * weights;
  const Tensor known = torch::nan_to_num(labels);
  // softplus(z) - y z is the cross-entropy of a logit, stable on both sides.
  const Tensor losses = torch::softplus(logits) - known * logits;
  return {(losses * present).sum(), present.sum()};
}

Episode run_episode(RankingModel& model, const TaskBatch& batch, const EpisodeOptions& options) {
  std::optional<torch::NoGradGuard> frozen;
  if (!options.train) frozen.emplace();

  Episode episode;
  episode.table_rows = model->tables.gather(batch.rows, options.train);
  const Tensor inputs =
      assemble_inputs(batch.rows, model->layout, episode.table_rows, model->tensor);
  const Tensor labels = labels_of(batch, model->labels(), model->tensor);
  const Tensor weights = weights_of(batch, model->tensor);

  if (!model->uses_support()) {
    episode.query_labels = labels;
    episode.query_weights = weights;
    episode.members = torch::zeros({0, 0}, model->tensor);
    const Tensor nothing = torch::empty({batch.rows.rows, 0}, model->tensor);
    episode.query_logits = model->global_block(nothing, inputs);
    return episode;
  }

  const auto parts = inputs.split_with_sizes({batch.support_rows(), batch.query_rows()}, 0);
  SupportContext context;
  context.support = Segments(batch.support_offsets, model->tensor.device());
  context.query = Segments(batch.query_offsets, model->tensor.device());
  context.support_inputs = parts[0];
  context.query_inputs = parts[1];
  context.support_labels = labels.narrow(0, 0, batch.support_rows());
  episode.query_labels = labels.narrow(0, batch.support_rows(), batch.query_rows());
  if (weights.defined()) {
    context.support_weights = weights.narrow(0, 0, batch.support_rows());
    episode.query_weights = weights.narrow(0, batch.support_rows(), batch.query_rows());
    context.evidence = sum_rows(context.support_weights, context.support);
  } else {
    context.evidence = context.support.counts().to(model->tensor.dtype()).unsqueeze(1);
  }
  describe_support(model, context);

  Tensor embedding;
  if (model->meta_block) {
    InnerLoop inner(model, context);
    embedding = inner.run(options, episode.support_losses);
    if (context.start_by_task.defined()) embedding = embedding + context.start_by_task;
    episode.embeddings = embedding;
  }
  episode.members =
      member_vector(model, embedding, context.statistics_by_task, context.history_by_task);
  Tensor by_row = expand_rows(episode.members, context.query);
  if (context.history_by_query.defined()) {
    by_row = torch::cat({by_row, context.history_by_query}, 1);
  }
  episode.query_logits = model->global_block(by_row, context.query_inputs);
  return episode;
}

}  // namespace limber
