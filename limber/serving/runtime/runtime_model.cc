#include "limber/serving/runtime/runtime_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/config/config.h"
#include "limber/core/data/stored_encoders.h"

namespace limber {
namespace {

std::string origin_of(const Artifact& artifact) {
  return (artifact.folder() / kManifestName).string();
}

}  // namespace

std::vector<std::string> member_features(const Artifact& artifact) {
  const ManifestFields& fields = artifact.contents().fields;
  const Config config = config_from_json(fields.config, origin_of(artifact));
  std::vector<std::string> names;
  for (const auto& json : fields.encoders.at("features")) {
    const FeatureEncoder encoder = FeatureEncoder::from_json(json, origin_of(artifact));
    const auto table = config.data.tables.find(encoder.table);
    const bool of_member =
        table != config.data.tables.end() && table->second.key == config.data.task;
    if (of_member || encoder.kind == FeatureKind::sequence) names.push_back(encoder.name);
  }
  return names;
}

std::shared_ptr<const RuntimeModel> RuntimeModel::load(
    Artifact artifact, const std::vector<std::string>& shared_features, Precision precision) {
  Config config = config_from_json(artifact.contents().fields.config, origin_of(artifact));
  std::shared_ptr<RuntimeModel> model(new RuntimeModel(std::move(artifact), std::move(config)));
  model->load_encoders();
  model->load_blocks(shared_features);
  if (precision == Precision::kInt8) model->global_block.quantize();
  return model;
}

RuntimeModel::RuntimeModel(Artifact opened, Config parsed)
    : artifact(std::move(opened)), config(std::move(parsed)) {}

void RuntimeModel::load_encoders() {
  const std::string origin = origin_of(artifact);
  const nlohmann::json& json = artifact.contents().fields.encoders;
  encoders = read_encoders(artifact);
  try {
    layout = make_layout(encoders, json.at("layout").at("tables").get<std::vector<std::string>>(),
                         json.at("layout").at("labels").get<std::vector<std::string>>());
    layout.label_thresholds = label_thresholds_of(json.at("layout"));
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: encoders: {}; the manifest is damaged", origin, error.what());
  }
  for (const EmbeddingTableShape& shape : layout.tables) tables.emplace_back(artifact, shape);
  popularity = Popularity::find(artifact, layout);
}

std::vector<std::string> RuntimeModel::feature_names(bool with_sequences) const {
  std::vector<std::string> names;
  for (const InputFeature& feature : layout.features) {
    if (with_sequences || feature.kind != FeatureKind::sequence) names.push_back(feature.name);
  }
  return names;
}

std::vector<std::size_t> RuntimeModel::selected(const std::vector<std::string>& names) const {
  std::vector<std::size_t> features;
  for (const std::string& name : names) {
    const InputFeature& feature = layout.find(name);
    features.push_back(static_cast<std::size_t>(&feature - layout.features.data()));
  }
  // In the order of the columns that training assembles: source by source, then by offset.
  std::sort(features.begin(), features.end(), [&](std::size_t a, std::size_t b) {
    const InputFeature &left = layout.features[a], &right = layout.features[b];
    return std::pair(left.source, left.offset) < std::pair(right.source, right.offset);
  });
  return features;
}

void RuntimeModel::load_blocks(const std::vector<std::string>& shared_features) {
  const DenseTensors tensors(artifact);
  const GlobalBlockOptions& options = config.model.global_block;
  for (const std::string& name : shared_features) {
    const auto known = feature_names(true);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw InputError("no feature of the model is named '{}'{}", name, did_you_mean(name, known));
    }
  }
  load_meta_block(tensors);
  load_history(tensors);
  if (config.model.statistics.enabled) {
    statistics_shrinkage = std::exp(tensors.scalar("log_statistics_shrinkage"));
  }
  const auto rates = tensors.take("base_rates", {labels()});
  base_rates.assign(rates.begin(), rates.end());
  if (!config.model.score.empty()) {
    for (const std::string& label : layout.labels) {
      const auto weight = config.model.score.find(label);
      score_weights.push_back(
          weight == config.model.score.end() ? 0.0F : static_cast<float>(weight->second));
    }
  }

  // Which trained column each of ours is: the member's, the shared features', the candidates'. What
  // a candidate attends to is its own.
  std::vector<std::int64_t> order(static_cast<std::size_t>(known_width()));
  std::iota(order.begin(), order.end(), 0);
  const std::int64_t attended = attends() ? history->dim() : 0;
  const std::int64_t inputs_begin = known_width() + attended;
  std::vector<std::size_t> shared, own;
  std::vector<std::int64_t> shared_columns, own_columns;
  std::int64_t column = inputs_begin;
  for (const std::size_t f :
       selected(options.inputs.empty() ? feature_names(true) : options.inputs)) {
    const InputFeature& feature = layout.features[f];
    const bool common = std::find(shared_features.begin(), shared_features.end(), feature.name) !=
                        shared_features.end();
    (common ? shared : own).push_back(f);
    for (std::int64_t c = 0; c < feature.width; ++c) {
      (common ? shared_columns : own_columns).push_back(column++);
    }
  }
  order.insert(order.end(), shared_columns.begin(), shared_columns.end());
  const auto constant = static_cast<std::int64_t>(order.size());
  for (std::int64_t c = 0; c < attended; ++c) order.push_back(known_width() + c);
  order.insert(order.end(), own_columns.begin(), own_columns.end());

  shared_inputs = InputPlan(layout, tables, shared);
  candidate_inputs = InputPlan(layout, tables, own);
  wide_inputs = InputPlan(layout, tables, selected(options.wide));
  calibration_inputs = InputPlan(layout, tables, selected(options.calibration.inputs));
  curves_are_shared = std::all_of(
      options.calibration.inputs.begin(), options.calibration.inputs.end(), [&](const auto& name) {
        return std::find(shared_features.begin(), shared_features.end(), name) !=
               shared_features.end();
      });
  global_block =
      FrozenGlobalBlock::load(tensors, options, known_width(), constant, wide_inputs.width(),
                              calibration_inputs.width(), layout.labels, order);
  // Without hidden layers the last layers read the block's own columns.
  const bool plain =
      options.hidden.empty() && (options.experts.kind == "none" || options.experts.hidden.empty());
  last_layers =
      LastLayerPosterior::load(artifact, tensors, options, layout.labels, global_block.last_width(),
                               plain ? order : std::vector<std::int64_t>{});
}

Curves RuntimeModel::curves(const RowSet& rows, std::int64_t first, std::int64_t last,
                            Workspace& workspace) const {
  const FrozenCalibration& calibration = *global_block.calibration;
  if (!calibration.by_row()) return calibration.common();
  const std::int64_t width = calibration_inputs.width();
  float* inputs = workspace.take(last - first, width);
  calibration_inputs.fill(rows, first, last, inputs, padded(width));
  return calibration.curves(inputs, last - first, workspace);
}

LogitParts RuntimeModel::logit_parts(const RowSet& rows, std::int64_t first, std::int64_t last,
                                     Workspace& workspace, const Curves& common) const {
  LogitParts parts;
  parts.curves = common;
  if (global_block.wide_width > 0) {
    float* inputs = workspace.take(last - first, global_block.wide_width);
    wide_inputs.fill(rows, first, last, inputs, padded(global_block.wide_width));
    float* logits = workspace.take((last - first) * labels());
    global_block.forward_wide(inputs, last - first, logits);
    parts.wide_logits = logits;
  }
  if (global_block.calibration && common.values == nullptr) {
    parts.curves = curves(rows, first, last, workspace);
  }
  return parts;
}

void RuntimeModel::load_meta_block(const DenseTensors& tensors) {
  const MetaBlockOptions& options = config.model.meta_block;
  if (!options.enabled) return;
  meta_inputs = InputPlan(layout, tables,
                          selected(options.inputs.empty() ? feature_names(false) : options.inputs));
  meta_block = std::make_unique<FrozenMetaBlock>();
  meta_block->tanh = options.activation == "tanh";
  std::vector<std::int64_t> widths = options.hidden;
  widths.push_back(options.dim);
  std::int64_t in = meta_inputs.width();
  for (const std::int64_t out : widths) {
    const std::string name = "meta_block.layer" + std::to_string(meta_block->layers.size());
    DenseLayer layer;
    layer.in = in;
    layer.out = out;
    layer.rows = reordered(tensors.take(name + "_weight", {in, out}), in, out);
    layer.bias = reordered(tensors.take(name + "_bias", {out}), 1, out);
    layer.weight = PackedMatrix(layer.rows.data(), in, out, padded(out));
    layer.transposed = PackedMatrix::transposed(layer.rows.data(), in, out, padded(out));
    meta_block->layers.push_back(std::move(layer));
    in = out;
  }
  const bool weights = options.adapt == "weights";
  const std::size_t moved = weights ? 2 * widths.size() : 1;
  const bool by_tensor = config.meta.inner_learning_rate == "per_tensor" && weights;
  const auto rates =
      tensors.take("log_inner_rates", {by_tensor ? static_cast<std::int64_t>(moved) : 1});
  const auto rate = [&](std::size_t i) { return std::exp(rates[by_tensor ? i : 0]); };
  meta_block->embedding_rate = rate(0);
  for (std::size_t l = 0; l < widths.size(); ++l) {
    meta_block->weight_rates.push_back(rate(2 * l));
    meta_block->bias_rates.push_back(rate(2 * l + 1));
  }
  default_embedding =
      reordered(tensors.take("default_embedding", {1, options.dim}), 1, options.dim);
  shrinkage = std::exp(tensors.scalar("log_shrinkage"));
  pooling_shrinkage = std::exp(tensors.scalar("log_pooling_shrinkage"));
}

void RuntimeModel::load_history(const DenseTensors& tensors) {
  const HistoryOptions& options = config.model.history;
  if (!options.enabled) return;
  const MetaBlockOptions& meta = config.model.meta_block;
  const auto defaults = meta.inputs.empty() ? feature_names(false) : meta.inputs;
  history_inputs =
      InputPlan(layout, tables, selected(options.inputs.empty() ? defaults : options.inputs));
  history = std::make_unique<FrozenHistoryEncoder>();
  history->attends = options.pooling != "mean";
  history->width = options.dim;
  const std::int64_t width = history_inputs.width();
  if (options.pooling == "transformer") {
    history->step = DenseLayer::load(tensors, "history.step", width + labels(), options.dim);
    history->candidate = DenseLayer::load(tensors, "history.candidate", width, options.dim);
    history->transformer = FrozenHistoryTransformer::load(tensors, "history.transformer", options);
    load_history_start(tensors);
    return;
  }
  history->mlp = DenseStack::load(tensors, "history.mlp", width + labels(), options.hidden, "relu");
  history->out = DenseLayer::load(tensors, "history.out", history->mlp.out, options.dim);
  if (history->attends) {
    history->key = DenseLayer::load(tensors, "history.key", width, options.dim);
    history->query = DenseLayer::load(tensors, "history.query", width, options.dim);
    history->empty_score = tensors.scalar("history.empty_score");
  } else {
    history->shrinkage = std::exp(tensors.scalar("history.log_shrinkage"));
  }
  load_history_start(tensors);
}

void RuntimeModel::load_history_start(const DenseTensors& tensors) {
  const MetaBlockOptions& meta = config.model.meta_block;
  const std::int64_t dim = config.model.history.dim;
  if (!meta.enabled || meta.start != "history") return;
  history_start = reordered(tensors.take("history_start", {dim, meta.dim}), dim, meta.dim);
}

}  // namespace limber
