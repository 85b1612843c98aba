#include "limber/training/train/last_layer_posterior.h"

#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/loader.h"
#include "limber/core/data/replay_sampler.h"
#include "limber/core/data/samplers.h"
#include "limber/core/data/share_sampler.h"
#include "limber/training/meta/episode.h"

namespace limber {
namespace {

std::vector<double> last_layer_of(const RankingModel& model, std::int64_t label) {
  const torch::Tensor weights =
      model->global_block->last_layer(label).detach().to(torch::kCPU, torch::kDouble).contiguous();
  return {weights.const_data_ptr<double>(), weights.const_data_ptr<double>() + weights.numel()};
}

/// weight q (1 - q) s^2 of each row for one label, 0 where the label is absent: [rows].
torch::Tensor curvatures(const Episode& episode, std::int64_t label) {
  const torch::Tensor chance = torch::sigmoid(episode.query_logits.select(1, label));
  torch::Tensor curvature = chance * (1 - chance);
  if (episode.last.slopes.defined()) {
    curvature = curvature * episode.last.slopes.select(1, label).square();
  }
  if (episode.query_weights.defined()) curvature = curvature * episode.query_weights.select(1, 0);
  return torch::where(torch::isnan(episode.query_labels.select(1, label)),
                      torch::zeros_like(curvature), curvature);
}

/// Each training row once, members adapted as a server would have.
std::unique_ptr<EpisodeSampler> all_training_rows(const RankingModel& model, const Dataset& dataset,
                                                  const Config& config) {
  if (model->uses_support()) {
    return std::make_unique<ReplaySampler>(dataset,
                                           ReplaySampler::Options{.support = config.meta.support});
  }
  return std::make_unique<RowSampler>(dataset, config.train.batch, config.train.seed, 0);
}

}  // namespace

std::string last_layer_tensor(const std::string& label) {
  return "posterior." + label;
}

std::vector<LastLayerState> last_layer_posteriors(RankingModel& model, const Dataset& dataset,
                                                  const Config& config,
                                                  const std::vector<LastLayerState>& before) {
  const bool was_training = model->is_training();
  model->eval();
  EpisodeOptions options;
  options.steps = config.meta.adaptation_steps;
  options.last_layers = true;
  const std::unique_ptr<EpisodeSampler> sampler = all_training_rows(model, dataset, config);
  // Processes that hold the model together take batches by turns.
  ProcessGroup* ranks = model->tables.ranks();
  const RoundRobinSampler turns(*sampler, ranks == nullptr ? RankOf{} : ranks->rank_of());
  Loader loader(dataset, turns);
  Progress progress("last layer", static_cast<std::uint64_t>(turns.batches()), "steps");
  std::vector<torch::Tensor> sums(
      static_cast<std::size_t>(model->labels()));  // [width + 1, width + 1]
  while (auto batch = loader.next()) {
    if (batch->rows.rows == 0) {
      // Others still ask this process for rows of tables.
      model->tables.gather(batch->rows, /*train=*/false);
      continue;
    }
    const Episode episode = run_episode(model, *batch, options);
    const torch::NoGradGuard no_grad;
    for (std::int64_t label = 0; label < model->labels(); ++label) {
      torch::Tensor& sum = sums[static_cast<std::size_t>(label)];
      const std::int64_t width = model->global_block->last_layer(label).numel() - 1;
      const torch::Tensor z =
          episode.last.inputs[static_cast<std::size_t>(label)].narrow(1, 0, width);
      const torch::Tensor rows = torch::cat({z, torch::ones({z.size(0), 1}, z.options())}, 1) *
                                 curvatures(episode, label).sqrt().unsqueeze(1);
      // A batch is summed in the model's precision, batches in double.
      const torch::Tensor own = torch::mm(rows.t(), rows).to(torch::kCPU, torch::kDouble);
      sum = sum.defined() ? sum.add_(own) : own.contiguous();
    }
    loader.recycle(std::move(batch));
    progress.add(1);
  }
  progress.finish();
  model->train(was_training);
  for (std::int64_t label = 0; ranks != nullptr && label < model->labels(); ++label) {
    torch::Tensor& sum = sums[static_cast<std::size_t>(label)];
    const std::int64_t width = model->global_block->last_layer(label).numel();
    if (!sum.defined()) sum = torch::zeros({width, width}, torch::kDouble);
    ranks->all_reduce(sum);
  }

  std::vector<LastLayerState> posteriors;
  for (std::int64_t label = 0; label < model->labels(); ++label) {
    LastLayerOptions known;
    known.prior_precision = config.explore.prior_precision;
    BayesianLastLayer posterior(last_layer_of(model, label), known);
    if (!before.empty()) {
      // How well it is known, around where it is now.
      LastLayerState earlier = before.at(static_cast<std::size_t>(label));
      earlier.prior_mean = earlier.mean = last_layer_of(model, label);
      posterior = BayesianLastLayer(earlier, known);
      posterior.decay(config.explore.keep);
    }
    const torch::Tensor& sum = sums[static_cast<std::size_t>(label)];
    if (sum.defined()) {
      posterior.add_precision(Eigen::Map<const Eigen::MatrixXd>(sum.const_data_ptr<double>(),
                                                                sum.size(0), sum.size(1)));
    }
    posteriors.push_back(posterior.state());
  }
  return posteriors;
}

std::vector<LastLayerState> read_last_layers(const Artifact& artifact, const Config& config,
                                             const RankingModel& model) {
  std::vector<LastLayerState> states;
  for (std::int64_t label = 0; label < model->labels(); ++label) {
    const std::string name =
        last_layer_tensor(model->layout.labels[static_cast<std::size_t>(label)]);
    if (!artifact.has_tensor(name)) return {};
    const auto factor = artifact.tensor(name).values<float>();
    LastLayerState& state = states.emplace_back();
    state.mean = state.prior_mean = last_layer_of(model, label);
    state.factor.assign(factor.begin(), factor.end());
    state.prior_precision = config.explore.prior_precision;
    const std::size_t dim = state.mean.size();
    if (factor.size() != dim * (dim + 1) / 2) {
      throw InputError("{}: tensor {} has {} elements; a last layer of {} weights needs {}",
                       artifact.folder().string(), name, factor.size(), dim, dim * (dim + 1) / 2);
    }
  }
  return states;
}

}  // namespace limber
