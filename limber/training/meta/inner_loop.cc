#include "limber/training/meta/inner_loop.h"

#include <numeric>

#include "limber/core/config/inner_clip.h"
#include "limber/training/meta/descend.h"
#include "limber/training/meta/episode.h"

namespace limber {
namespace {

using torch::Tensor;

/// The row of the batch that shows a task's features: its first support row, else its first query
/// row. For inputs that are constant within a task.
Tensor one_row_per_task(const SupportContext& context) {
  std::vector<std::int64_t> rows;
  const auto& support = context.support.offsets();
  const auto& query = context.query.offsets();
  for (std::size_t t = 0; t + 1 < support.size(); ++t) {
    rows.push_back(support[t + 1] > support[t] ? support[t] : support.back() + query[t]);
  }
  const Tensor all = torch::cat({context.support_inputs, context.query_inputs}, 0);
  return all.index_select(0, torch::tensor(rows, torch::kLong).to(all.device()));
}

/// Cuts the gradients of summed losses [tasks, dim] whose mean, share [tasks, 1] of them, is longer
/// than kInnerClip.
Tensor clipped(const Tensor& gradient, const Tensor& share) {
  const Tensor length = (gradient * share).square().sum(1, /*keepdim=*/true);
  // The root of a length of 0 has no derivative, and is not needed.
  const Tensor over = length > kInnerClip * kInnerClip;
  const Tensor factor = kInnerClip / torch::where(over, length, torch::ones_like(length)).sqrt();
  return gradient * torch::where(over, factor, torch::ones_like(factor));
}

}  // namespace

InnerLoop::InnerLoop(RankingModel& model, const SupportContext& context)
    : model_(model), context_(context) {
  if (model->member_level()) {
    std::vector<std::int64_t> offsets(static_cast<std::size_t>(context.support.tasks()) + 1);
    std::iota(offsets.begin(), offsets.end(), 0);
    block_segments_ = Segments(std::move(offsets), model->tensor.device());
    block_inputs_ = model->meta_inputs.select(one_row_per_task(context));
  } else {
    block_segments_ = context.support;
    block_inputs_ = model->meta_inputs.select(context.support_inputs);
  }
}

Tensor InnerLoop::embed(const std::vector<Tensor>& weights) const {
  const Tensor outputs = model_->meta_block->forward(block_inputs_, weights, block_segments_);
  if (model_->member_level()) return outputs + model_->default_embedding;
  const Tensor shares = context_.evidence + model_->pooling_shrinkage();
  return model_->default_embedding + sum_rows(context_.weighed(outputs), context_.support) / shares;
}

Tensor InnerLoop::support_logits(const Tensor& embedding) const {
  Tensor by_row = expand_rows(embedding, context_.support);
  if (context_.start_by_support.defined()) by_row = by_row + context_.start_by_support;
  return model_->global_block(
      member_vector(model_, by_row, context_.statistics_by_support, context_.history_by_support),
      context_.support_inputs);
}

Tensor InnerLoop::run(const EpisodeOptions& options, std::vector<double>& losses) {
  const std::int64_t tasks = context_.support.tasks();
  const bool by_weights = model_->model.meta_block.adapt == "weights";
  const std::int64_t steps = context_.support.rows() == 0 ? 0 : options.steps;
  std::vector<Tensor> moved;
  if (by_weights) {
    moved = model_->meta_block->expanded_weights(tasks);
  } else {
    moved = {embed(model_->meta_block->expanded_weights(tasks))};
  }
  const auto embedding = [&] { return by_weights ? embed(moved) : moved[0]; };
  if (steps == 0) return embedding();

  const auto rates = model_->inner_rates();
  const Tensor step_shares = 1 / (context_.evidence + model_->shrinkage());
  const Tensor present = torch::isnan(context_.support_labels).logical_not();
  const Tensor labels = torch::nan_to_num(context_.support_labels);
  const bool keep_graph = options.train && options.second_order;
  for (std::int64_t k = 0; k < steps; ++k) {
    std::vector<Tensor> gradients;
    {
      // Adaptation needs gradients even where the caller wants none.
      const torch::AutoGradMode recording(true);
      if (!options.train) {
        for (Tensor& tensor : moved) tensor = tensor.detach().requires_grad_();
      }
      const Tensor embedded = embedding();
      const Tensor logits = support_logits(embedded);
      // d loss / d logit = probability - label, given as the seed: the loss itself is not needed.
      Tensor seed = context_.weighed((torch::sigmoid(logits) - labels) * present);
      if (!keep_graph) seed = seed.detach();
      Tensor gradient = torch::autograd::grad({logits}, {embedded}, {seed},
                                              /*retain_graph=*/true, keep_graph)[0];
      gradient = clipped(gradient, step_shares);
      gradients = by_weights ? torch::autograd::grad({embedded}, moved, {gradient},
                                                     /*retain_graph=*/options.train, keep_graph)
                             : std::vector<Tensor>{gradient};
      if (!options.train) {
        const torch::NoGradGuard no_grad;
        const LossSum loss = loss_sum(logits, context_.support_labels, context_.support_weights);
        losses.push_back(loss.mean().item<double>());
      }
    }
    for (std::size_t i = 0; i < moved.size(); ++i) {
      moved[i] = descend(moved[i], rates[i] * step_shares, gradients[i]);
    }
  }
  return embedding();
}

}  // namespace limber
