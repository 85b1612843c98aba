#include "limber/training/evaluate/resampled_metrics.h"

#include <cmath>
#include <numeric>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/log_loss.h"
#include "limber/training/evaluate/ndcg.h"
#include "limber/training/evaluate/normalized_entropy.h"

namespace limber {
namespace {

const Predictions& checked(const Predictions& predictions) {
  check_predictions(predictions);
  return predictions;
}

GroupIndex index_of(const Predictions& predictions) {
  if (!predictions.groups.empty()) return GroupIndex(predictions.groups);
  std::vector<std::int64_t> rows(predictions.size());
  std::iota(rows.begin(), rows.end(), 0);
  return GroupIndex(rows);
}

}  // namespace

ResampledMetrics::ResampledMetrics(const Predictions& predictions, const MetricOptions& options)
    : grouped_(!checked(predictions).groups.empty()), sorted_({}, {}) {
  const auto& [logits, labels, weights, ids] = predictions;
  const GroupIndex index = index_of(predictions);
  sorted_ = SortedRows(logits, labels, weights, index.group_of_row());
  if (grouped_) {
    aucs_ = group_aucs(logits, labels, weights, index);
    ndcgs_ = group_ndcgs(logits, labels, index, options.ndcg_cutoff);
  }

  const ProbabilityBins bins(logits, options.calibration_bins, options.binning);
  bins_ = bins.size();
  sums_.resize(index.size());
  share_offsets_.assign(1, 0);
  std::vector<double> excess(bins_, 0.0);
  std::vector<char> touched(bins_, 0);
  std::vector<std::uint32_t> list;  // the touched bins, so that a small group costs little
  for (std::size_t group = 0; group < index.size(); ++group) {
    Sums& sums = sums_[group];
    for (const std::uint32_t row : index.rows(group)) {
      const double weight = weight_of(weights, row);
      const double probability = sigmoid(logits[row]);
      sums.weight += weight;
      sums.loss += weight * row_log_loss(logits[row], labels[row]);
      sums.predicted += weight * probability;
      sums.observed += weight * labels[row];
      const std::size_t bin = bins.bin_of(probability);
      if (!touched[bin]) list.push_back(static_cast<std::uint32_t>(bin));
      touched[bin] = 1;
      excess[bin] += weight * (probability - labels[row]);
    }
    for (const std::uint32_t bin : list) {
      shares_.push_back({bin, excess[bin]});
      excess[bin] = 0;
      touched[bin] = 0;
    }
    list.clear();
    share_offsets_.push_back(shares_.size());
  }
}

MetricValues ResampledMetrics::evaluate(std::span<const float> multiplicity) const {
  if (multiplicity.size() != groups()) {
    throw Error("multiplicity: {} values for {} groups", multiplicity.size(), groups());
  }
  Sums sums;
  double auc_sum = 0;
  double auc_weight = 0;
  double ndcg_sum = 0;
  double ndcg_groups = 0;
  std::vector<double> excess(bins_, 0.0);
  for (std::size_t group = 0; group < groups(); ++group) {
    const double times = multiplicity[group];
    if (times == 0) continue;
    sums.weight += times * sums_[group].weight;
    sums.loss += times * sums_[group].loss;
    sums.predicted += times * sums_[group].predicted;
    sums.observed += times * sums_[group].observed;
    for (std::size_t i = share_offsets_[group]; i < share_offsets_[group + 1]; ++i) {
      excess[shares_[i].bin] += times * shares_[i].excess;
    }
    if (!grouped_) continue;
    if (aucs_[group].weight > 0) {
      auc_sum += times * aucs_[group].weight * aucs_[group].value;
      auc_weight += times * aucs_[group].weight;
    }
    if (!std::isnan(ndcgs_[group])) {
      ndcg_sum += times * ndcgs_[group];
      ndcg_groups += times;
    }
  }

  MetricValues values;
  values.auc = sorted_.auc(multiplicity);
  if (auc_weight > 0) values.gauc = auc_sum / auc_weight;
  if (ndcg_groups > 0) values.ndcg = ndcg_sum / ndcg_groups;
  if (sums.weight > 0) {
    values.log_loss = sums.loss / sums.weight;
    values.normalized_entropy = normalized_entropy(values.log_loss, sums.observed / sums.weight);
    values.calibration_error = 0;
    for (const double bin : excess) values.calibration_error += std::abs(bin) / sums.weight;
  }
  if (sums.observed > 0) values.calibration_ratio = sums.predicted / sums.observed;
  return values;
}

}  // namespace limber
