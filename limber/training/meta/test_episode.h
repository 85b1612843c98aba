#pragma once

#include <vector>

#include "limber/core/base/random.h"
#include "limber/core/data/task_batch.h"
#include "limber/training/model/ranking_model.h"

/// Small models and batches for tests, made by hand so that they depend on no file.
namespace limber::test {

/// One number and one id of the interaction, one id and one list of a side table.
inline InputLayout small_layout(std::size_t labels = 1) {
  InputLayout layout;
  layout.sources = {"", "items"};
  layout.source_widths = {1 + 2, 3 + 2};
  layout.tables = {{"device", 4, 2}, {"item", 9, 3}, {"tags", 6, 2}};
  layout.features = {{"price", FeatureKind::number, 0, -1, 1, 0},
                     {"device", FeatureKind::id, 0, 0, 2, 1},
                     {"item", FeatureKind::id, 1, 1, 3, 0},
                     {"tags", FeatureKind::ids, 1, 2, 2, 3}};
  for (std::size_t l = 0; l < labels; ++l) layout.labels.push_back("label" + std::to_string(l));
  return layout;
}

/// Tasks with the given numbers of support and query rows, all values random.
inline TaskBatch random_batch(const InputLayout& layout, const std::vector<std::int64_t>& support,
                              const std::vector<std::int64_t>& query, std::uint64_t seed) {
  Random random(seed);
  TaskBatch batch;
  batch.support_offsets = batch.query_offsets = {0};
  for (std::size_t t = 0; t < support.size(); ++t) {
    batch.tasks.push_back(static_cast<std::int64_t>(t));
    batch.support_offsets.push_back(batch.support_offsets.back() + support[t]);
    batch.query_offsets.push_back(batch.query_offsets.back() + query[t]);
  }
  RowBatch& rows = batch.rows;
  rows.rows = batch.support_rows() + batch.query_rows();
  const auto count = static_cast<std::size_t>(rows.rows);
  rows.table_rows = {{0, 1, 2, 3}, {1, 3, 5, 7, 8}, {0, 2, 4, 5}};
  rows.sources.resize(2);
  for (auto& source : rows.sources) source.features.resize(layout.features.size());
  rows.sources[0].rows = rows.rows;
  rows.sources[1].rows = 5;
  for (std::size_t i = 0; i < count; ++i) {
    rows.sources[0].features[0].numbers.push_back(static_cast<float>(random.normal()));
    rows.sources[0].features[1].indices.push_back(static_cast<std::int64_t>(random.below(4)));
    rows.sources[1].positions.push_back(static_cast<std::int64_t>(random.below(5)));
    for (std::size_t l = 0; l < layout.labels.size(); ++l) {
      rows.labels.push_back(random.uniform() < 0.5 ? 0.0F : 1.0F);
    }
  }
  FeatureBatch& tags = rows.sources[1].features[3];
  tags.offsets = {0};
  for (std::int64_t item = 0; item < 5; ++item) {
    rows.sources[1].features[2].indices.push_back(item);
    // Lists of 0, 1, 2, 3 and 0 values.
    for (std::int64_t k = 0; k < item % 4; ++k) {
      tags.indices.push_back(static_cast<std::int64_t>(random.below(4)));
    }
    tags.offsets.push_back(static_cast<std::int64_t>(tags.indices.size()));
  }
  return batch;
}

/// Gives every row a weight between 1/2 and 2.
inline void weigh(TaskBatch& batch, std::uint64_t seed) {
  Random random(seed);
  batch.rows.weights.clear();
  for (std::int64_t row = 0; row < batch.rows.rows; ++row) {
    batch.rows.weights.push_back(static_cast<float>(0.5 + 1.5 * random.uniform()));
  }
}

/// The batch with row i repeated repeats[i] times (0: left out) within its task.
inline TaskBatch repeat_rows(const TaskBatch& batch, const std::vector<int>& repeats) {
  TaskBatch out = batch;
  RowBatch& rows = out.rows;
  rows.labels.clear();
  rows.sources[0].features[0].numbers.clear();
  rows.sources[0].features[1].indices.clear();
  rows.sources[1].positions.clear();
  const auto labels = static_cast<std::size_t>(batch.rows.labels.size()) / repeats.size();
  std::int64_t written = 0;
  const auto copy = [&](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      for (int time = 0; time < repeats[row]; ++time, ++written) {
        const auto& from = batch.rows;
        rows.sources[0].features[0].numbers.push_back(from.sources[0].features[0].numbers[row]);
        rows.sources[0].features[1].indices.push_back(from.sources[0].features[1].indices[row]);
        rows.sources[1].positions.push_back(from.sources[1].positions[row]);
        for (std::size_t l = 0; l < labels; ++l) {
          rows.labels.push_back(from.labels[row * labels + l]);
        }
      }
    }
  };
  const std::int64_t support = batch.support_rows();
  for (std::size_t t = 0; t < batch.tasks.size(); ++t) {
    copy(batch.support_offsets[t], batch.support_offsets[t + 1]);
    out.support_offsets[t + 1] = written;
  }
  for (std::size_t t = 0; t < batch.tasks.size(); ++t) {
    copy(support + batch.query_offsets[t], support + batch.query_offsets[t + 1]);
    out.query_offsets[t + 1] = written - out.support_rows();
  }
  rows.rows = rows.sources[0].rows = written;
  return out;
}

/// A smooth model in double precision.
inline ModelOptions smooth_model() {
  ModelOptions model;
  model.meta_block.hidden = {5, 4};
  model.meta_block.dim = 3;
  model.meta_block.activation = "tanh";
  model.global_block.hidden = {6, 4};
  model.global_block.activation = "tanh";
  model.global_block.cross.layers = 2;
  return model;
}

/// Moves everything away from special values (zero biases, zero starts).
inline void scatter_parameters(RankingModel& model, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(static_cast<std::int64_t>(seed));
  for (torch::Tensor& parameter : model->parameters()) {
    parameter.add_(torch::randn_like(parameter) * 0.3);
  }
  for (torch::Tensor& table : model->tables.weights()) table.normal_();
}

inline RankingModel make_test_model(const InputLayout& layout, const ModelOptions& model,
                                    const MetaOptions& meta, torch::Dtype type = torch::kDouble) {
  RankingModel made(layout, model, meta, std::vector<double>(layout.labels.size(), 0.4), 7,
                    torch::TensorOptions().dtype(type));
  scatter_parameters(made, 11);
  return made;
}

}  // namespace limber::test
