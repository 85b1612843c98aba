#include "bench/tensor_dump.h"

#include <nlohmann/json.hpp>

#include "limber/core/artifact/safetensors.h"

namespace limber {

void TensorDump::add(const std::string& name, const torch::Tensor& tensor) {
  owned_.push_back(tensor.detach().to(torch::kCPU).contiguous().clone());
  const torch::Tensor& kept = owned_.back();
  const std::vector<std::int64_t> shape = kept.sizes().vec();
  const auto count = static_cast<std::size_t>(kept.numel());
  if (kept.scalar_type() == torch::kLong) {
    tensors_.push_back(make_tensor<std::int64_t>(
        name, shape, std::span<const std::int64_t>(kept.data_ptr<std::int64_t>(), count)));
  } else {
    tensors_.push_back(
        make_tensor<float>(name, shape, std::span<const float>(kept.data_ptr<float>(), count)));
  }
}

void TensorDump::add(const std::string& name, const std::vector<std::int64_t>& values) {
  add(name, torch::tensor(values, torch::kLong));
}

void TensorDump::add(const std::string& name, const std::vector<float>& values) {
  add(name, torch::tensor(values, torch::kFloat));
}

void TensorDump::add_weights(const RankingModel& model) {
  for (const auto& [name, tensor] : model->dense_tensors()) add("dense." + name, tensor);
  for (std::size_t t = 0; t < model->layout.tables.size(); ++t) {
    add("table." + model->layout.tables[t].name, model->tables.weights()[t]);
  }
}

void TensorDump::add_gradients(const std::string& prefix, const RankingModel& model,
                               const std::vector<torch::Tensor>& table_rows) {
  for (const auto& item : model->named_parameters()) {
    if (item.value().grad().defined()) {
      add(prefix + "gradient.dense." + item.key(), item.value().grad());
    }
  }
  for (std::size_t t = 0; t < table_rows.size(); ++t) {
    if (table_rows[t].grad().defined()) {
      add(prefix + "gradient.table." + model->layout.tables[t].name, table_rows[t].grad());
    }
  }
}

void TensorDump::add_batch(const std::string& prefix, const InputLayout& layout,
                           const TaskBatch& batch) {
  add(prefix + ".labels", batch.rows.labels);
  add(prefix + ".support_offsets", batch.support_offsets);
  add(prefix + ".query_offsets", batch.query_offsets);
  for (std::size_t t = 0; t < layout.tables.size(); ++t) {
    add(prefix + "." + layout.tables[t].name + ".rows", batch.rows.table_rows[t]);
  }
  for (std::size_t s = 1; s < layout.sources.size(); ++s) {
    add(prefix + "." + layout.sources[s] + ".positions", batch.rows.sources[s].positions);
  }
  for (std::size_t f = 0; f < layout.features.size(); ++f) {
    const InputFeature& feature = layout.features[f];
    const FeatureBatch& values =
        batch.rows.sources[static_cast<std::size_t>(feature.source)].features[f];
    const std::string name = prefix + "." + feature.name;
    if (feature.table < 0) {
      add(name + ".numbers", values.numbers);
      continue;
    }
    add(name + ".indices", values.indices);
    if (!values.offsets.empty()) add(name + ".offsets", values.offsets);
  }
}

void TensorDump::write(const std::filesystem::path& path, const InputLayout& layout,
                       std::int64_t batches) {
  nlohmann::json features = nlohmann::json::array();
  for (const InputFeature& feature : layout.features) {
    nlohmann::json one{{"name", feature.name},
                       {"source", layout.sources[static_cast<std::size_t>(feature.source)]},
                       {"list", feature.kind == FeatureKind::ids},
                       {"table", nullptr}};
    if (feature.table >= 0) {
      one["table"] = layout.tables[static_cast<std::size_t>(feature.table)].name;
    }
    features.push_back(one);
  }
  write_safetensors(path, tensors_,
                    {{"features", features.dump()},
                     {"sources", nlohmann::json(layout.sources).dump()},
                     {"batches", std::to_string(batches)}});
}

}  // namespace limber
