#include "limber/core/data/row_batch.h"

#include <algorithm>

#include "limber/core/data/sequence_reader.h"

namespace limber {

BatchMaker::BatchMaker(const Dataset& dataset) : dataset_(dataset) {
  for (std::size_t s = 1; s < dataset.sources.size(); ++s) {
    sources_.emplace_back(dataset.sources[s].rows);
  }
  for (const EmbeddingTableShape& table : dataset.layout.tables) tables_.emplace_back(table.rows);
}

void BatchMaker::gather(std::span<const std::int64_t> rows, RowBatch& batch) {
  const InputLayout& layout = dataset_.layout;
  batch.rows = static_cast<std::int64_t>(rows.size());
  batch.dataset_rows.assign(rows.begin(), rows.end());
  batch.sources.resize(dataset_.sources.size());
  batch.table_rows.resize(layout.tables.size());
  for (auto& table : batch.table_rows) table.clear();
  for (Numbering& table : tables_) table.restart();

  for (std::size_t s = 0; s < dataset_.sources.size(); ++s) {
    const DataSource& source = dataset_.sources[s];
    SourceBatch& out = batch.sources[s];
    out.features.resize(layout.features.size());
    std::span<const std::int64_t> source_rows = rows;
    out.positions.clear();
    if (s > 0) {
      const auto side = dataset_.side_rows[s - 1].as<std::int32_t>();
      sources_[s - 1].restart();
      unique_.clear();
      out.positions.resize(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        out.positions[i] = sources_[s - 1].number(side[static_cast<std::size_t>(rows[i])], unique_);
      }
      source_rows = unique_;
    }
    out.rows = static_cast<std::int64_t>(source_rows.size());
    for (std::size_t c = 0; c < source.features.size(); ++c) {
      gather_feature(source, c, source_rows, batch,
                     out.features[static_cast<std::size_t>(source.features[c])]);
    }
  }
  for (std::size_t f = 0; f < layout.features.size(); ++f) {
    if (layout.features[f].kind == FeatureKind::sequence) {
      gather_sequence(f, rows, batch, batch.sources[0].features[f]);
    }
  }

  const std::size_t labels = layout.labels.size();
  const auto all = dataset_.labels.as<float>();
  batch.labels.resize(rows.size() * labels);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(all.begin() + rows[i] * static_cast<std::int64_t>(labels), labels,
                batch.labels.begin() + static_cast<std::ptrdiff_t>(i * labels));
  }
  batch.weights.clear();
  if (dataset_.weights.size() > 0) {
    for (const std::int64_t row : rows) batch.weights.push_back(dataset_.weight(row));
  }
}

void BatchMaker::gather_feature(const DataSource& source, std::size_t column,
                                std::span<const std::int64_t> rows, RowBatch& batch,
                                FeatureBatch& out) {
  const FeatureColumn& values = source.columns[column];
  const InputFeature& feature =
      dataset_.layout.features[static_cast<std::size_t>(source.features[column])];
  if (feature.table < 0) {
    const auto numbers = values.numbers.as<float>();
    out.numbers.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      out.numbers[i] = numbers[static_cast<std::size_t>(rows[i])];
    }
    return;
  }
  const auto table = static_cast<std::size_t>(feature.table);
  Numbering& numbering = tables_[table];
  auto& used = batch.table_rows[table];
  if (feature.kind != FeatureKind::ids) {
    const auto indices = values.indices.as<std::int32_t>();
    out.indices.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      out.indices[i] = numbering.number(indices[static_cast<std::size_t>(rows[i])], used);
    }
    return;
  }
  const auto starts = values.starts.as<std::int64_t>();
  const auto lengths = values.lengths.as<std::int32_t>();
  const auto all = values.values.as<std::int32_t>();
  out.indices.clear();
  out.offsets.assign(1, 0);
  for (const std::int64_t row : rows) {
    const auto start = static_cast<std::size_t>(starts[static_cast<std::size_t>(row)]);
    const auto length = static_cast<std::size_t>(lengths[static_cast<std::size_t>(row)]);
    for (const std::int32_t index : all.subspan(start, length)) {
      out.indices.push_back(numbering.number(index, used));
    }
    out.offsets.push_back(static_cast<std::int64_t>(out.indices.size()));
  }
}

void BatchMaker::gather_sequence(std::size_t feature, std::span<const std::int64_t> rows,
                                 RowBatch& batch, FeatureBatch& out) {
  const auto table = static_cast<std::size_t>(dataset_.layout.features[feature].table);
  const SequenceReader reader(dataset_, feature);
  out.indices.clear();
  out.offsets.assign(1, 0);
  for (const std::int64_t row : rows) {
    sequence_.clear();
    reader.append(row, sequence_);
    for (const std::int32_t index : sequence_) {
      out.indices.push_back(tables_[table].number(index, batch.table_rows[table]));
    }
    out.offsets.push_back(static_cast<std::int64_t>(out.indices.size()));
  }
}

}  // namespace limber
