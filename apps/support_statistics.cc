#include "apps/support_statistics.h"

#include <cmath>

#include "limber/core/base/error.h"
#include "limber/core/data/loader.h"
#include "limber/core/data/samplers.h"

namespace limber {
namespace {

/// Whether each row of the data has one row of the embedding table, by which items are told apart.
bool has_one_row(const FeatureEncoder& encoder) {
  return encoder.kind == FeatureKind::id && !encoder.has_several_rows();
}

}  // namespace

std::string SupportStatistics::guess_item(const Dataset& dataset, const std::string& task_column) {
  std::string best;
  std::int64_t most = 0;
  for (const FeatureEncoder& encoder : dataset.encoders) {
    if (!has_one_row(encoder) || encoder.column == task_column) continue;
    if (encoder.table_rows() > most) {
      most = encoder.table_rows();
      best = encoder.name;
    }
  }
  if (best.empty()) {
    throw InputError("features: none of kind id besides {}, so that items have no rate; add one",
                     task_column);
  }
  return best;
}

SupportStatistics::SupportStatistics(const Dataset& dataset, const std::string& item)
    : dataset_(dataset), labels_(dataset.layout.labels.size()) {
  while (feature_ < dataset.encoders.size() && dataset.encoders[feature_].name != item) ++feature_;
  if (feature_ == dataset.encoders.size() || !has_one_row(dataset.encoders[feature_])) {
    throw InputError("--item: {} is no feature of kind id whose values have a row each", item);
  }
  counts_.resize(static_cast<std::size_t>(dataset.encoders[feature_].table_rows()) * labels_);
  std::vector<Count> all(labels_);
  const RowSampler sampler(dataset, 16384, 1, 0);
  Loader loader(dataset, sampler);
  while (auto batch = loader.next()) {
    for (std::int64_t row = 0; row < batch->rows.rows; ++row) {
      const auto at = static_cast<std::size_t>(row) * labels_;
      const auto code = static_cast<std::size_t>(item_of(batch->rows, row)) * labels_;
      const double weight = batch->rows.weight(row);
      for (std::size_t l = 0; l < labels_; ++l) {
        const double label = batch->rows.labels[at + l];
        if (std::isnan(label)) continue;
        for (Count* count : {&counts_[code + l], &all[l]}) {
          count->ones += weight * label;
          count->rows += weight;
        }
      }
    }
    loader.recycle(std::move(batch));
  }
  for (const Count& count : all) base_rates_.push_back(count.ones / std::max(count.rows, 1e-12));
}

std::int32_t SupportStatistics::item_of(const RowBatch& rows, std::int64_t row) const {
  const InputFeature& feature = dataset_.layout.features[feature_];
  const SourceBatch& source = rows.sources[static_cast<std::size_t>(feature.source)];
  const auto at = static_cast<std::size_t>(row);
  const auto place = source.positions.empty() ? at : static_cast<std::size_t>(source.positions[at]);
  const auto used = static_cast<std::size_t>(source.features[feature_].indices[place]);
  return static_cast<std::int32_t>(rows.table_rows[static_cast<std::size_t>(feature.table)][used]);
}

std::vector<SupportStatistics::Values> SupportStatistics::of(const TaskBatch& batch) const {
  std::vector<Values> values(static_cast<std::size_t>(batch.size()) * labels_);
  for (std::size_t t = 0; t < batch.tasks.size(); ++t) {
    const TaskRows& task = dataset_.tasks[static_cast<std::size_t>(batch.tasks[t])];
    for (std::size_t l = 0; l < labels_; ++l) {
      Values& out = values[t * labels_ + l];
      double present = 0;
      for (std::int64_t row = batch.support_offsets[t]; row < batch.support_offsets[t + 1]; ++row) {
        const double label = batch.rows.labels[static_cast<std::size_t>(row) * labels_ + l];
        if (std::isnan(label)) continue;
        const double weight = batch.rows.weight(row);
        Count count = counts_[static_cast<std::size_t>(item_of(batch.rows, row)) * labels_ + l];
        if (batch.rows.dataset_rows[static_cast<std::size_t>(row)] < task.train_end) {
          count.ones -= weight * label;
          count.rows -= weight;
        }
        const double rate = (count.ones + shrinkage * base_rates_[l]) / (count.rows + shrinkage);
        out.mean += weight * (label - base_rates_[l]);
        out.residual += weight * (label - rate);
        present += weight;
      }
      out.mean /= present + shrinkage;
      out.residual /= present + shrinkage;
    }
  }
  return values;
}

}  // namespace limber
