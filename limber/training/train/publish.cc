#include "limber/training/train/publish.h"

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/artifact/row_codec.h"
#include "limber/core/base/error.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/stored_encoders.h"
#include "limber/training/train/last_layer_posterior.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

limber::Tensor view_of(const std::string& name, const torch::Tensor& tensor) {
  return make_tensor<float>(name, tensor.sizes().vec(),
                            std::span<const float>(tensor.const_data_ptr<float>(),
                                                   static_cast<std::size_t>(tensor.numel())));
}

void add_last_layers(ArtifactWriter& writer, const std::vector<std::string>& labels,
                     const std::vector<LastLayerState>& last_layers) {
  if (last_layers.empty()) return;
  std::vector<std::vector<float>> factors;
  std::vector<limber::Tensor> tensors;
  for (std::size_t l = 0; l < last_layers.size(); ++l) {
    const std::vector<double>& factor = last_layers[l].factor;
    const auto& kept = factors.emplace_back(factor.begin(), factor.end());
    tensors.push_back(make_tensor<float>(last_layer_tensor(labels[l]),
                                         {static_cast<std::int64_t>(kept.size())}, kept));
  }
  writer.add_tensors("posterior.safetensors", tensors);
}

nlohmann::json layout_to_json(const InputLayout& layout) {
  nlohmann::json tables = nlohmann::json::array();
  for (std::size_t s = 1; s < layout.sources.size(); ++s) tables.push_back(layout.sources[s]);
  nlohmann::json json{{"tables", tables}, {"labels", layout.labels}};
  if (!layout.label_thresholds.empty()) json["label_thresholds"] = to_json(layout.label_thresholds);
  return json;
}

}  // namespace

fs::path publish_model(const fs::path& models_folder, const Config& config, const Dataset& dataset,
                       const RankingModel& model, const nlohmann::json& metrics,
                       const fs::path& training_log, const Lineage& lineage) {
  ArtifactWriter writer(models_folder, config.name);
  std::vector<torch::Tensor> kept;
  std::vector<limber::Tensor> dense;
  for (const auto& [name, tensor] : model->dense_tensors()) {
    // Averages of numbers go into their encoders.
    if (name.starts_with("numbers.")) continue;
    kept.push_back(tensor.detach().to(torch::kCPU, torch::kFloat).contiguous());
    dense.push_back(view_of(name, kept.back()));
  }
  writer.add_tensors("dense.safetensors", dense);
  for (std::size_t t = 0; t < model->tables.shapes().size(); ++t) {
    const std::string& name = model->tables.shapes()[t].name;
    const torch::Tensor rows =
        model->tables.whole(t).detach().to(torch::kCPU, torch::kFloat).contiguous();
    const limber::Tensor view = view_of("tables." + name, rows);
    writer.add_tensors("tables/" + name + ".safetensors", std::span(&view, 1));
  }
  // From here on the others may go: what becomes of the rest must not depend on them.
  if (ProcessGroup* ranks = model->tables.ranks()) ranks->barrier();
  add_last_layers(writer, dataset.layout.labels, lineage.last_layers);
  if (lineage.fisher) {
    std::vector<limber::Tensor> information;
    for (const auto& [name, tensor] : lineage.fisher->tensors) {
      kept.push_back(tensor.to(torch::kCPU, torch::kFloat).contiguous());
      information.push_back(view_of(kFisherPrefix + name, kept.back()));
    }
    writer.add_tensors(kFisherFile, information);
  }
  std::vector<FeatureEncoder> encoders = dataset.encoders;
  for (std::size_t f = 0; model->numbers && f < encoders.size(); ++f) {
    encoders[f] = model->numbers->folded(encoders[f], f);
  }
  const nlohmann::json features = write_encoders(writer, encoders);
  if (fs::exists(training_log)) writer.add_file("training_log.jsonl", read_file(training_log));

  ManifestFields fields;
  fields.config = config_to_json(config);
  fields.encoders = {{"features", features}, {"layout", layout_to_json(dataset.layout)}};
  fields.data_window = {{"rows", dataset.rows},
                        {"training_rows", dataset.train_rows()},
                        {"members", dataset.tasks.size()},
                        {"bad_rows", dataset.bad_rows},
                        {"split", dataset.split}};
  if (dataset.times.size() > 0) {
    fields.data_window["first_time"] = dataset.first_time;
    fields.data_window["last_time"] = dataset.last_time;
  }
  if (lineage.fisher) {
    fields.data_window["fisher"] = {{"rows", lineage.fisher->rows},
                                    {"examples", lineage.fisher->examples}};
  }
  if (!lineage.from.empty()) {
    fields.data_window["incremental"] = {{"from", lineage.from}, {"cold", lineage.cold}};
  }
  fields.metrics = metrics;
  return writer.publish(fields);
}

void send_tables(const RankingModel& model) {
  for (std::size_t t = 0; t < model->tables.shapes().size(); ++t) model->tables.whole(t);
  if (ProcessGroup* ranks = model->tables.ranks()) ranks->barrier();
}

LoadedModel load_model(const Artifact& artifact, torch::Device device) {
  const std::string origin = (artifact.folder() / kManifestName).string();
  LoadedModel loaded;
  loaded.name = artifact.name();
  loaded.version = artifact.version();
  const ManifestFields& fields = artifact.contents().fields;
  loaded.config = config_from_json(fields.config, origin);
  loaded.encoders = read_encoders(artifact);
  std::vector<std::string> tables, labels;
  LabelThresholds thresholds;
  try {
    tables = fields.encoders.at("layout").at("tables").get<std::vector<std::string>>();
    labels = fields.encoders.at("layout").at("labels").get<std::vector<std::string>>();
    thresholds = label_thresholds_of(fields.encoders.at("layout"));
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: encoders: {}; the manifest is damaged", origin, error.what());
  }
  InputLayout layout = make_layout(loaded.encoders, tables, labels);
  layout.label_thresholds = std::move(thresholds);
  loaded.model = RankingModel(layout, loaded.config.model, loaded.config.meta,
                              std::vector<double>(labels.size(), 0.5), loaded.config.train.seed,
                              torch::TensorOptions().dtype(torch::kFloat).device(device));
  const torch::NoGradGuard no_grad;
  const auto fill = [&](torch::Tensor target, const std::string& name) {
    const limber::Tensor& stored = artifact.tensor(name);
    if (stored.shape != target.sizes().vec()) {
      throw InputError("{}: tensor {} does not have the shape that the config asks for", origin,
                       name);
    }
    const auto values = stored.values<float>();
    target.copy_(
        torch::from_blob(const_cast<float*>(values.data()), target.sizes(), torch::kFloat));
  };
  for (auto& [name, tensor] : loaded.model->dense_tensors()) {
    if (!name.starts_with("numbers.")) fill(tensor, name);
  }
  auto& weights = loaded.model->tables.weights();
  for (std::size_t t = 0; t < weights.size(); ++t) {
    const EmbeddingTableShape& shape = loaded.model->tables.shapes()[t];
    std::vector<float> rows = read_rows(artifact, "tables." + shape.name, shape.rows, shape.dim);
    weights[t].copy_(torch::from_blob(rows.data(), weights[t].sizes(), torch::kFloat));
  }
  loaded.model->eval();
  return loaded;
}

Dataset build_dataset_for(const LoadedModel& loaded, const Config& config, const fs::path& folder) {
  Dataset dataset =
      build_dataset(config, folder, &loaded.encoders, &loaded.model->layout.label_thresholds);
  if (dataset.layout.labels != loaded.model->layout.labels) {
    throw InputError("data.labels: the model was trained with other labels");
  }
  return dataset;
}

}  // namespace limber
