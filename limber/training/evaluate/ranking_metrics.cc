#include "limber/training/evaluate/ranking_metrics.h"

#include "limber/training/evaluate/auc.h"
#include "limber/training/evaluate/gauc.h"
#include "limber/training/evaluate/log_loss.h"
#include "limber/training/evaluate/ndcg.h"
#include "limber/training/evaluate/normalized_entropy.h"

namespace limber {

RankingMetrics evaluate_predictions(const Predictions& predictions, const MetricOptions& options) {
  check_predictions(predictions);
  const auto& [logits, labels, weights, ids] = predictions;
  RankingMetrics metrics;
  metrics.rows = predictions.size();
  metrics.ndcg_cutoff = options.ndcg_cutoff;
  if (predictions.size() == 0) return metrics;

  double positives = 0;
  double total = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    positives += weight_of(weights, i) * labels[i];
    total += weight_of(weights, i);
  }
  metrics.base_rate = positives / total;

  metrics.auc = auc(logits, labels, weights);
  metrics.log_loss = log_loss(logits, labels, weights);
  metrics.normalized_entropy = normalized_entropy(metrics.log_loss, metrics.base_rate);
  metrics.calibration_ratio = calibration_ratio(logits, labels, weights);
  metrics.calibration_error = calibration_error(
      reliability_curve(logits, labels, weights, options.calibration_bins, options.binning));

  if (!ids.empty()) {
    const GroupIndex index(ids);
    const GroupedAuc grouped = gauc(group_aucs(logits, labels, weights, index));
    metrics.groups = index.size();
    metrics.skipped_groups = grouped.skipped;
    metrics.gauc = grouped.value;
    metrics.ndcg = mean_ndcg(group_ndcgs(logits, labels, index, options.ndcg_cutoff)).value;
  }
  return metrics;
}

}  // namespace limber
