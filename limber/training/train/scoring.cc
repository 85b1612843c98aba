#include "limber/training/train/scoring.h"

#include <cmath>

#include "limber/core/base/error.h"
#include "limber/core/data/loader.h"

#include "limber/training/evaluate/ranking_metrics.h"
#include "limber/training/meta/episode.h"

namespace limber {

ScoredRows score_rows(RankingModel& model, const Dataset& dataset,
                      const EvaluationSampler::Options& options, std::int64_t steps,
                      const Popularity* popularity) {
  ScoredRows scored;
  scored.labels = dataset.layout.labels;
  const std::size_t labels = scored.labels.size();
  scored.logits.resize(labels);
  scored.truth.resize(labels);
  const bool was_training = model->is_training();
  model->eval();
  EpisodeOptions episode_options;
  episode_options.steps = steps;
  EvaluationSampler::Options sampled = options;
  if (!model->uses_support()) sampled.support = 0;
  const EvaluationSampler sampler(dataset, sampled);
  Loader loader(dataset, sampler);
  while (auto batch = loader.next()) {
    const bool with_support = model->uses_support();
    const Episode episode = run_episode(model, *batch, episode_options);
    const auto logits = episode.query_logits.to(torch::kCPU, torch::kFloat).contiguous();
    const auto truth = episode.query_labels.to(torch::kCPU, torch::kFloat).contiguous();
    const std::int64_t first = with_support ? batch->support_rows() : 0;
    if (logits.size(0) != batch->rows.rows - first) throw Error("scoring lost rows");
    for (std::int64_t t = 0; t < batch->size(); ++t) {
      const auto at = static_cast<std::size_t>(t);
      const std::int64_t task = batch->tasks[at];
      const TaskRows& rows = dataset.tasks[static_cast<std::size_t>(task)];
      for (std::int64_t q = batch->query_offsets[at]; q < batch->query_offsets[at + 1]; ++q) {
        const float* effects =
            popularity == nullptr
                ? nullptr
                : popularity->of(
                      id_index(dataset, popularity->feature,
                               batch->rows.dataset_rows[static_cast<std::size_t>(first + q)]));
        for (std::size_t l = 0; l < labels; ++l) {
          const std::int64_t place =
              q * static_cast<std::int64_t>(labels) + static_cast<std::int64_t>(l);
          scored.logits[l].push_back(logits.const_data_ptr<float>()[place] +
                                     (effects == nullptr ? 0.0F : effects[l]));
          scored.truth[l].push_back(truth.const_data_ptr<float>()[place]);
        }
        if (!batch->rows.weights.empty()) {
          scored.weights.push_back(batch->rows.weights[static_cast<std::size_t>(first + q)]);
        }
        scored.members.push_back(task);
        scored.support.push_back(batch->support_offsets[at + 1] - batch->support_offsets[at]);
        scored.activity.push_back(rows.train_end - rows.begin > 0 ? rows.train_end - rows.begin
                                                                  : rows.end - rows.begin);
      }
    }
    loader.recycle(std::move(batch));
  }
  model->train(was_training);
  return scored;
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
