#include "limber/training/meta/episode.h"

#include <optional>

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

namespace {

/// [rows, labels]: what each label counts.
Tensor presence(const Tensor& labels, const Tensor& weights, const Tensor& label_weights) {
  Tensor present = torch::isnan(labels).logical_not();
  if (weights.defined()) present = present * weights;
  if (label_weights.defined()) present = present * label_weights;
  return present;
}

}  // namespace

Tensor loss_count(const Tensor& labels, const Tensor& weights, const Tensor& label_weights) {
  return presence(labels, weights, label_weights).sum();
}

double loss_count(const RankingModel& model, const TaskBatch& batch, const Tensor& label_weights) {
  const std::int64_t first = model->uses_support() ? batch.support_rows() : 0;
  const std::int64_t rows = batch.rows.rows - first;
  const Tensor weights = weights_of(batch, model->tensor);
  return loss_count(labels_of(batch, model->labels(), model->tensor).narrow(0, first, rows),
                    weights.defined() ? weights.narrow(0, first, rows) : weights, label_weights)
      .to(torch::kDouble)
      .item<double>();
}

LossSum loss_sum(const Tensor& logits, const Tensor& labels, const Tensor& weights,
                 const Tensor& label_weights) {
  const Tensor present = presence(labels, weights, label_weights);
  const Tensor known = torch::nan_to_num(labels);
  // softplus(z) - y z is the cross-entropy of a logit, stable on both sides.
  const Tensor losses = torch::softplus(logits) - known * logits;
  return {(losses * present).sum(), present.sum()};
}

EpisodeRows divide_rows(const RankingModel& model, const TaskBatch& batch, const Tensor& inputs) {
  const torch::Device device = model->tensor.device();
  EpisodeRows rows;
  if (model->uses_support()) {
    rows.support = Segments(batch.support_offsets, device);
    rows.query = Segments(batch.query_offsets, device);
  } else {
    rows.support = Segments({0, 0}, device);
    rows.query = Segments({0, batch.rows.rows}, device);
  }
  const std::int64_t support = rows.support.rows(), query = rows.query.rows();
  const auto divide = [&](const Tensor& all, Tensor& of_support, Tensor& of_query) {
    const auto parts = all.split_with_sizes({support, query}, 0);
    of_support = parts[0];
    of_query = model->uses_support() ? parts[1] : all;
  };
  divide(inputs, rows.support_inputs, rows.query_inputs);
  divide(labels_of(batch, model->labels(), model->tensor), rows.support_labels, rows.query_labels);
  const Tensor weights = weights_of(batch, model->tensor);
  if (weights.defined()) divide(weights, rows.support_weights, rows.query_weights);
  return rows;
}

Episode run_tasks(RankingModel& model, const EpisodeRows& rows, const EpisodeOptions& options) {
  Episode episode;
  episode.query_labels = rows.query_labels;
  episode.query_weights = rows.query_weights;
  LastLayers* last = options.last_layers ? &episode.last : nullptr;
  if (!model->uses_support()) {
    episode.members = torch::zeros({0, 0}, model->tensor);
    const Tensor nothing = torch::empty({rows.query.rows(), 0}, model->tensor);
    episode.query_logits = model->global_block(nothing, rows.query_inputs, last);
    return episode;
  }
  SupportContext context;
  context.support = rows.support;
  context.query = rows.query;
  context.support_inputs = rows.support_inputs;
  context.query_inputs = rows.query_inputs;
  context.support_labels = rows.support_labels;
  context.support_weights = rows.support_weights;
  context.evidence = rows.support_weights.defined()
                         ? sum_rows(context.support_weights, context.support)
                         : context.support.counts().to(model->tensor.dtype()).unsqueeze(1);
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
  episode.query_logits = model->global_block(by_row, context.query_inputs, last);
  return episode;
}

Episode run_episode(RankingModel& model, const TaskBatch& batch, const EpisodeOptions& options) {
  std::optional<torch::NoGradGuard> frozen;
  if (!options.train) frozen.emplace();
  const std::vector<Tensor> table_rows = model->tables.gather(batch.rows, options.train);
  const Tensor inputs = model->inputs_of(batch.rows, table_rows);
  Episode episode = run_tasks(model, divide_rows(model, batch, inputs), options);
  episode.table_rows = table_rows;
  return episode;
}

}  // namespace limber
