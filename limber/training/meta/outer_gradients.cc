#include "limber/training/meta/outer_gradients.h"

#include "limber/training/layers/parallel.h"

#include <algorithm>

#include "limber/core/data/share_sampler.h"
#include "limber/training/layers/gemm.h"

namespace limber {
namespace {

using torch::Tensor;

/// Fewer rows than this are not worth a thread.
constexpr std::int64_t least_rows = 64;

/// A run of tasks with inputs that are leaves of their own, and what came of it.
struct Share {
  EpisodeRows rows;
  std::int64_t support_begin = 0, query_begin = 0;
  Tensor loss;                    ///< sum over the share's query rows
  std::vector<Tensor> gradients;  ///< by parameter; undefined where the share does not use it
};

Segments narrow_segments(const Segments& all, std::int64_t first, std::int64_t last) {
  const auto& offsets = all.offsets();
  std::vector<std::int64_t> own(offsets.begin() + first, offsets.begin() + last + 1);
  const std::int64_t begin = own.front();
  for (std::int64_t& offset : own) offset -= begin;
  return Segments(std::move(own), all.counts().device());
}

/// The tasks from `first` to before `last`.
Share take_tasks(const EpisodeRows& all, std::int64_t first, std::int64_t last) {
  Share share;
  share.support_begin = all.support.offsets()[static_cast<std::size_t>(first)];
  share.query_begin = all.query.offsets()[static_cast<std::size_t>(first)];
  share.rows.support = narrow_segments(all.support, first, last);
  share.rows.query = narrow_segments(all.query, first, last);
  return share;
}

/// One task's query rows from `begin` to before `end`, for models without support.
Share take_rows(const EpisodeRows& all, std::int64_t begin, std::int64_t end) {
  Share share;
  share.query_begin = begin;
  share.rows.support = all.support;
  share.rows.query = Segments({0, end - begin}, all.query.counts().device());
  return share;
}

/// Fills in the tensors of a share whose segments are known.
void narrow_tensors(const EpisodeRows& all, Share& share, bool train_inputs) {
  EpisodeRows& own = share.rows;
  const auto narrow = [&](const Tensor& support, const Tensor& query, Tensor& own_support,
                          Tensor& own_query) {
    if (!support.defined()) return;
    own_support = support.narrow(0, share.support_begin, own.support.rows());
    own_query = query.narrow(0, share.query_begin, own.query.rows());
  };
  narrow(all.support_inputs.detach(), all.query_inputs.detach(), own.support_inputs,
         own.query_inputs);
  narrow(all.support_labels, all.query_labels, own.support_labels, own.query_labels);
  narrow(all.support_weights, all.query_weights, own.support_weights, own.query_weights);
  own.support_inputs.set_requires_grad(train_inputs);
  own.query_inputs.set_requires_grad(train_inputs);
}

std::vector<Share> divide(const RankingModel& model, const EpisodeRows& all, std::int64_t parts,
                          const EpisodeOptions& options, bool train_inputs) {
  std::vector<Share> shares;
  if (model->uses_support()) {
    // How often a support row passes through the model beside a query row's one time: to be
    // described or embedded, and in every inner step, which a second derivative passes again.
    const std::int64_t steps = model->meta_block ? options.steps : 0;
    const std::int64_t passes = 1 + steps * (options.second_order ? 2 : 1);
    std::vector<std::int64_t> costs;
    const auto& support = all.support.offsets();
    const auto& query = all.query.offsets();
    for (std::size_t t = 0; t + 1 < query.size(); ++t) {
      costs.push_back(passes * (support[t + 1] - support[t]) + query[t + 1] - query[t]);
    }
    const auto bounds = equal_shares(costs, parts);
    for (std::size_t p = 0; p + 1 < bounds.size(); ++p) {
      if (bounds[p] < bounds[p + 1]) shares.push_back(take_tasks(all, bounds[p], bounds[p + 1]));
    }
  } else {
    const std::int64_t rows = all.query.rows();
    for (std::int64_t p = 0; p < parts; ++p) {
      shares.push_back(take_rows(all, rows * p / parts, rows * (p + 1) / parts));
    }
  }
  for (Share& share : shares) narrow_tensors(all, share, train_inputs);
  return shares;
}

/// Runs one share on the calling thread. `count`: what the loss of the whole batch is divided by.
/// `input_gradients` [all rows, columns]: undefined, or gets the rows of this share.
void run_share(RankingModel& model, const std::vector<Tensor>& parameters, const Tensor& count,
               const EpisodeOptions& options, Share& share, Tensor input_gradients,
               std::int64_t all_support) {
  const torch::AutoGradMode recording(true);
  const SerialBlas serial;
  const Episode episode = run_tasks(model, share.rows, options);
  const LossSum loss = loss_sum(episode.query_logits, episode.query_labels, episode.query_weights,
                                options.label_weights);
  share.loss = loss.sum.detach();
  std::vector<Tensor> wanted = parameters;
  if (input_gradients.defined()) {
    wanted.push_back(share.rows.support_inputs);
    wanted.push_back(share.rows.query_inputs);
  }
  share.gradients = torch::autograd::grad({loss.sum / count.clamp_min(1e-12)}, wanted, {},
                                          /*retain_graph=*/false, /*create_graph=*/false,
                                          /*allow_unused=*/true);
  if (!input_gradients.defined()) return;
  const torch::NoGradGuard no_grad;
  const auto store = [&](const Tensor& gradient, std::int64_t begin, std::int64_t rows) {
    Tensor place = input_gradients.narrow(0, begin, rows);
    gradient.defined() ? place.copy_(gradient) : place.zero_();
  };
  store(share.gradients[parameters.size()], share.support_begin, share.rows.support.rows());
  store(share.gradients[parameters.size() + 1], all_support + share.query_begin,
        share.rows.query.rows());
}

/// With fewer shares, undivided operations keep more threads busy.
std::int64_t least_shares() {
  return std::max<std::int64_t>((at::get_num_threads() + 1) / 2, 2);
}

/// Into how many shares a batch is worth being divided; 1: the operations use the threads.
std::int64_t parts_for(const RankingModel& model, const EpisodeRows& rows) {
  if (!model->tensor.device().is_cpu() || model->model.global_block.dropout > 0) return 1;
  const std::int64_t threads = at::get_num_threads();
  std::int64_t parts = std::min(threads, (rows.support.rows() + rows.query.rows()) / least_rows);
  if (model->uses_support()) parts = std::min(parts, rows.query.tasks());
  return parts < least_shares() ? 1 : parts;
}

}  // namespace

OuterGradients outer_gradients(RankingModel& model, const TaskBatch& batch,
                               const EpisodeOptions& options,
                               const std::function<void()>& before_backward) {
  OuterGradients result;
  result.table_rows = model->tables.gather(batch.rows, /*train=*/true);
  const Tensor inputs = model->inputs_of(batch.rows, result.table_rows);
  const EpisodeRows all = divide_rows(model, batch, inputs);
  std::vector<Tensor> parameters = model->parameters();
  for (Tensor& parameter : parameters) parameter.mutable_grad() = Tensor();

  // A process may have no part in a batch that is divided among several.
  if (all.query.rows() == 0) return result;

  const bool train_inputs = inputs.requires_grad();
  std::vector<Share> shares;
  if (const std::int64_t parts = parts_for(model, all); parts > 1) {
    shares = divide(model, all, parts, options, train_inputs);
  }
  if (static_cast<std::int64_t>(shares.size()) < least_shares()) {
    const Episode episode = run_tasks(model, all, options);
    const LossSum loss = loss_sum(episode.query_logits, episode.query_labels, episode.query_weights,
                                  options.label_weights);
    if (before_backward) before_backward();
    (options.loss_count < 0 ? loss.mean() : loss.sum / std::max(options.loss_count, 1e-12))
        .backward();
    result.loss_sum = loss.sum.item<double>();
    result.loss_count = loss.count.item<double>();
    return result;
  }

  const Tensor count =
      loss_count(all.query_labels, all.query_weights, options.label_weights).to(inputs.dtype());
  const Tensor divisor =
      options.loss_count < 0 ? count : torch::full_like(count, options.loss_count);
  result.shares = static_cast<std::int64_t>(shares.size());
  Tensor input_gradients;
  if (train_inputs) input_gradients = at::empty(inputs.sizes(), model->tensor);
  at::parallel_for(0, result.shares, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t s = first; s < last; ++s) {
      run_share(model, parameters, divisor, options, shares[static_cast<std::size_t>(s)],
                input_gradients, all.support.rows());
    }
  });

  const torch::NoGradGuard no_grad;
  for (const Share& share : shares) result.loss_sum += share.loss.item<double>();
  result.loss_count = count.item<double>();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    Tensor sum;
    for (const Share& share : shares) {
      if (!share.gradients[p].defined()) continue;
      sum = sum.defined() ? sum.add_(share.gradients[p]) : share.gradients[p].clone();
    }
    parameters[p].mutable_grad() = sum;
  }
  if (train_inputs) inputs.backward(input_gradients);
  return result;
}

}  // namespace limber
