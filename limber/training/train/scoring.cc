#include "limber/training/train/scoring.h"

#include <cmath>

#include "limber/core/base/error.h"
#include "limber/core/data/loader.h"
#include "limber/core/data/share_sampler.h"

#include "limber/training/evaluate/ranking_metrics.h"
#include "limber/training/meta/episode.h"

namespace limber {

namespace {

/// What a batch's query rows add; a batch may have none.
void add_batch(RankingModel& model, const Dataset& dataset, const TaskBatch& batch,
               const Episode& episode, const Popularity* popularity, ScoredRows& scored) {
  const std::size_t labels = scored.labels.size();
  const auto logits = episode.query_logits.to(torch::kCPU, torch::kFloat).contiguous();
  const auto truth = episode.query_labels.to(torch::kCPU, torch::kFloat).contiguous();
  const std::int64_t first = model->uses_support() ? batch.support_rows() : 0;
  if (logits.size(0) != batch.rows.rows - first) throw Error("scoring lost rows");
  for (std::int64_t t = 0; t < batch.size(); ++t) {
    const auto at = static_cast<std::size_t>(t);
    const std::int64_t task = batch.tasks[at];
    const TaskRows& rows = dataset.tasks[static_cast<std::size_t>(task)];
    for (std::int64_t q = batch.query_offsets[at]; q < batch.query_offsets[at + 1]; ++q) {
      const float* effects =
          popularity == nullptr
              ? nullptr
              : popularity->of(
                    id_index(dataset, popularity->feature,
                             batch.rows.dataset_rows[static_cast<std::size_t>(first + q)]));
      for (std::size_t l = 0; l < labels; ++l) {
        const std::int64_t place =
            q * static_cast<std::int64_t>(labels) + static_cast<std::int64_t>(l);
        scored.logits[l].push_back(logits.const_data_ptr<float>()[place] +
                                   (effects == nullptr ? 0.0F : effects[l]));
        scored.truth[l].push_back(truth.const_data_ptr<float>()[place]);
      }
      if (!batch.rows.weights.empty()) {
        scored.weights.push_back(batch.rows.weights[static_cast<std::size_t>(first + q)]);
      }
      scored.members.push_back(task);
      scored.support.push_back(batch.support_offsets[at + 1] - batch.support_offsets[at]);
      scored.activity.push_back(rows.train_end - rows.begin > 0 ? rows.train_end - rows.begin
                                                                : rows.end - rows.begin);
    }
  }
}

ScoredRows no_rows(const Dataset& dataset) {
  ScoredRows scored;
  scored.labels = dataset.layout.labels;
  scored.logits.resize(scored.labels.size());
  scored.truth.resize(scored.labels.size());
  return scored;
}

/// Everybody's rows in the order of the batches, which the processes scored by turns; `ends`: how
/// many rows this one had after each of its batches.
ScoredRows of_all(const ScoredRows& mine, const std::vector<std::int64_t>& ends,
                  ProcessGroup& ranks, ScoredRows all) {
  const auto labels = static_cast<std::int64_t>(all.labels.size());
  const auto rows = static_cast<std::int64_t>(mine.members.size());
  const std::int64_t columns = 2 * labels + 1;
  const torch::Tensor values = torch::empty({rows, columns}, torch::kFloat);
  const torch::Tensor numbers = torch::empty({rows, 3}, torch::kLong);
  auto* value = values.mutable_data_ptr<float>();
  auto* number = numbers.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < mine.members.size(); ++i) {
    for (std::size_t l = 0; l < all.labels.size(); ++l) {
      *value++ = mine.logits[l][i];
      *value++ = mine.truth[l][i];
    }
    *value++ = mine.weights.empty() ? 1.0F : mine.weights[i];
    for (const std::int64_t one : {mine.members[i], mine.support[i], mine.activity[i]}) {
      *number++ = one;
    }
  }
  const auto all_values = ranks.all_gather(values), all_numbers = ranks.all_gather(numbers);
  const auto all_ends = ranks.all_gather(torch::tensor(ends, torch::kLong).unsqueeze(1));
  const torch::Tensor weighed = torch::full({1}, mine.weights.empty() ? 0.0 : 1.0);
  ranks.all_reduce(weighed);
  const bool weights = weighed.item<double>() > 0;
  for (std::size_t b = 0; b < ends.size(); ++b) {
    for (std::size_t r = 0; r < all_values.size(); ++r) {
      const auto* end = all_ends[r].const_data_ptr<std::int64_t>();
      for (std::int64_t i = b == 0 ? 0 : end[b - 1]; i < end[b]; ++i) {
        const float* from = all_values[r].const_data_ptr<float>() + i * columns;
        for (std::size_t l = 0; l < all.labels.size(); ++l) {
          all.logits[l].push_back(*from++);
          all.truth[l].push_back(*from++);
        }
        if (weights) all.weights.push_back(*from);
        const auto* whole = all_numbers[r].const_data_ptr<std::int64_t>() + i * 3;
        all.members.push_back(whole[0]);
        all.support.push_back(whole[1]);
        all.activity.push_back(whole[2]);
      }
    }
  }
  return all;
}

}  // namespace

ScoredRows score_rows(RankingModel& model, const Dataset& dataset,
                      const EvaluationSampler::Options& options, std::int64_t steps,
                      const Popularity* popularity) {
  ScoredRows scored = no_rows(dataset);
  const bool was_training = model->is_training();
  model->eval();
  EpisodeOptions episode_options;
  episode_options.steps = steps;
  EvaluationSampler::Options sampled = options;
  if (!model->uses_support()) sampled.support = 0;
  const EvaluationSampler sampler(dataset, sampled);
  ProcessGroup* ranks = model->tables.ranks();
  const RoundRobinSampler turns(sampler, ranks == nullptr ? RankOf{} : ranks->rank_of());
  std::vector<std::int64_t> ends;
  Loader loader(dataset, turns);
  while (auto batch = loader.next()) {
    if (batch->tasks.empty()) {
      // Others still ask this process for rows of tables.
      model->tables.gather(batch->rows, /*train=*/false);
    } else {
      add_batch(model, dataset, *batch, run_episode(model, *batch, episode_options), popularity,
                scored);
    }
    ends.push_back(static_cast<std::int64_t>(scored.members.size()));
    loader.recycle(std::move(batch));
  }
  model->train(was_training);
  return ranks == nullptr ? scored : of_all(scored, ends, *ranks, no_rows(dataset));
}

ScoredRows ScoredRows::of_label(std::size_t label) const {
  ScoredRows rows;
  rows.labels = {labels[label]};
  rows.logits.resize(1);
  rows.truth.resize(1);
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (std::isnan(truth[label][i])) continue;
    rows.logits[0].push_back(logits[label][i]);
    rows.truth[0].push_back(truth[label][i]);
    if (!weights.empty()) rows.weights.push_back(weights[i]);
    rows.members.push_back(members[i]);
    rows.support.push_back(support[i]);
    rows.activity.push_back(activity[i]);
  }
  return rows;
}

double QuickMetrics::score(const std::string& name) const {
  return name == "auc" ? auc : name == "gauc" ? gauc : -log_loss;
}

QuickMetrics quick_metrics(const ScoredRows& scored, const std::vector<double>& label_weights) {
  QuickMetrics metrics;
  struct Mean {
    double sum = 0, weight = 0;
    void add(double value, double by) {
      if (std::isnan(value)) return;
      sum += by * value;
      weight += by;
    }
    double value() const { return weight > 0 ? sum / weight : std::nan(""); }
  };
  Mean log_loss, auc, gauc;
  for (std::size_t l = 0; l < scored.labels.size(); ++l) {
    const ScoredRows rows = scored.of_label(l);
    if (rows.members.empty()) {
      metrics.absent.push_back(scored.labels[l]);
      continue;
    }
    const double weight = label_weights.empty() ? 1 : label_weights[l];
    const RankingMetrics all = evaluate_predictions(rows.predictions());
    log_loss.add(all.log_loss, weight);
    auc.add(all.auc, weight);
    gauc.add(all.gauc, weight);
  }
  metrics.log_loss = log_loss.value();
  metrics.auc = auc.value();
  metrics.gauc = gauc.value();
  return metrics;
}

}  // namespace limber
