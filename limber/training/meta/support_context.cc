#include "limber/training/meta/support_context.h"

namespace limber {
namespace {

using torch::Tensor;

/// Labels minus the predictions of the model without any knowledge of the member; no gradient.
Tensor residuals(RankingModel& model, const SupportContext& context) {
  const torch::NoGradGuard no_grad;
  const std::int64_t rows = context.support.rows();
  std::vector<Tensor> parts;
  if (model->meta_block) {
    // At member level too the default stands in: the residual only needs a fixed reference.
    parts.push_back(model->default_embedding.expand({rows, -1}));
  }
  const std::int64_t rest =
      model->statistics_width() + (model->history ? model->history->dim() : 0);
  if (rest > 0) parts.push_back(torch::zeros({rows, rest}, model->tensor));
  const Tensor logits = model->global_block(torch::cat(parts, 1), context.support_inputs);
  return torch::nan_to_num(context.support_labels - torch::sigmoid(logits));
}

/// log(1 + n) and the shrunken means of labels and residuals, n being the evidence. sums
/// [rows, 2 labels], evidence [rows, 1].
Tensor statistics(const RankingModel& model, const Tensor& sums, const Tensor& evidence) {
  return torch::cat(
      {torch::log1p(evidence) / 4, sums / (evidence + model->log_statistics_shrinkage.exp())}, 1);
}

}  // namespace

void describe_support(RankingModel& model, SupportContext& context) {
  const Segments& support = context.support;
  const bool inner_loop = !model->meta_block.is_empty();
  Tensor residual;
  if (model->uses_residuals()) residual = residuals(model, context);
  // What the other rows of a row's task weigh; sums of weights round, but never below nothing.
  const auto others = [&] {
    return torch::relu(expand_rows(context.evidence, support) - context.own_weight());
  };

  if (model->model.statistics.enabled) {
    const Tensor by_row = context.weighed(
        torch::cat({torch::nan_to_num(context.support_labels - model->base_rates), residual}, 1));
    const Tensor sums = sum_rows(by_row, support);
    context.statistics_by_task = statistics(model, sums, context.evidence);
    if (inner_loop) {
      context.statistics_by_support =
          statistics(model, expand_rows(sums, support) - by_row, others());
    }
  }

  if (model->history) {
    HistoryEncoder& history = model->history;
    const Tensor signal = residual.defined() && model->model.history.signal == "residual"
                              ? residual
                              : torch::nan_to_num(context.support_labels - model->base_rates);
    const Tensor encoded = history->encode(context.support_inputs, signal);
    if (history->attends()) {
      const HistoryEncoderImpl::Slots slots{encoded, context.support_inputs,
                                            context.support_weights, support};
      context.history_by_query =
          history->attend(context.query_inputs, context.query, slots, /*own_rows=*/false);
      if (inner_loop) {
        context.history_by_support =
            history->attend(context.support_inputs, support, slots, /*own_rows=*/true);
      }
    } else {
      const Tensor by_row = context.weighed(encoded);
      const Tensor sums = sum_rows(by_row, support);
      context.history_by_task = history->pool(sums, context.evidence);
      if (inner_loop) {
        context.history_by_support = history->pool(expand_rows(sums, support) - by_row, others());
      }
      if (model->history_start.defined()) {
        context.start_by_task = torch::mm(context.history_by_task, model->history_start);
        context.start_by_support = torch::mm(context.history_by_support, model->history_start);
      }
    }
  }
}

Tensor member_vector(const RankingModel& model, const Tensor& embedding, const Tensor& statistics,
                     const Tensor& history) {
  std::vector<Tensor> parts;
  for (const Tensor& part : {embedding, statistics, history}) {
    if (part.defined()) parts.push_back(part);
  }
  if (parts.empty()) return torch::empty({0, 0}, model->tensor);
  return torch::cat(parts, 1);
}

}  // namespace limber
