#include "limber/serving/runtime/dataset_rows.h"

namespace limber {

DatasetRows::DatasetRows(const Dataset& dataset) : dataset_(dataset) {
  const std::size_t features = dataset.layout.features.size();
  for (const DataSource& source : dataset.sources) {
    SourceRows& rows = sources_.emplace_back();
    rows.rows = source.rows;
    rows.features.resize(features);
    for (std::size_t c = 0; c < source.features.size(); ++c) {
      const FeatureColumn& column = source.columns[c];
      FeatureValues& values = rows.features[static_cast<std::size_t>(source.features[c])];
      values.numbers = column.numbers.as<float>().data();
      values.indices = column.indices.as<std::int32_t>().data();
      values.starts = column.starts.as<std::int64_t>().data();
      values.lengths = column.lengths.as<std::int32_t>().data();
      values.values = column.values.as<std::int32_t>().data();
    }
  }
  for (std::size_t f = 0; f < features; ++f) {
    if (dataset.layout.features[f].kind != FeatureKind::sequence) continue;
    sequences_.push_back(f);
    readers_.emplace_back(dataset, f);
  }
  chosen_.resize(sources_.size() - 1);
  offsets_.resize(sequences_.size());
  indices_.resize(sequences_.size());
  set_.sources.resize(sources_.size());
  set_.sequences.resize(features);
}

const RowSet& DatasetRows::gather(std::span<const std::int64_t> rows) {
  set_.rows = static_cast<std::int64_t>(rows.size());
  set_.sources[0] = {&sources_[0], nullptr, rows};
  for (std::size_t s = 0; s < chosen_.size(); ++s) {
    const auto side = dataset_.side_rows[s].as<std::int32_t>();
    chosen_[s].clear();
    for (const std::int64_t row : rows) chosen_[s].push_back(side[static_cast<std::size_t>(row)]);
    set_.sources[s + 1] = {&sources_[s + 1], nullptr, chosen_[s]};
  }
  for (std::size_t q = 0; q < sequences_.size(); ++q) {
    indices_[q].clear();
    offsets_[q].assign(1, 0);
    for (const std::int64_t row : rows) {
      readers_[q].append(row, indices_[q]);
      offsets_[q].push_back(static_cast<std::int64_t>(indices_[q].size()));
    }
    set_.sequences[sequences_[q]] = {offsets_[q], indices_[q]};
  }
  labels_.clear();
  weights_.clear();
  for (const std::int64_t row : rows) {
    for (std::size_t l = 0; l < dataset_.layout.labels.size(); ++l) {
      labels_.push_back(dataset_.label(row, l));
    }
    if (dataset_.weights.size() > 0) weights_.push_back(dataset_.weight(row));
  }
  return set_;
}

}  // namespace limber
