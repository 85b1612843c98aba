#pragma once

#include <cmath>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/random.h"
#include "limber/core/config/config.h"
#include "limber/core/data/encoder.h"

namespace limber {

/// A small model without side tables, for tests of what serves it: an id, a number that may be
/// missing, several words, and two labels. Its ids are hashed, so that it has no vocabularies.
inline constexpr const char* kTestModelConfig = R"(
name: films
data:
  interactions: [log.csv]
  task: member
  labels: {click: click, like: rating >= 4}
features:
  - {name: item, kind: id, vocabulary: hash, hash_size: 64, dim: 4}
  - {name: price, kind: number, transform: none}
  - {name: words, kind: ids, vocabulary: hash, hash_size: 32, dim: 3}
model:
  meta_block: {hidden: [8], dim: 4}
  global_block: {cross: {kind: full, layers: 1}, hidden: [8]}
)";

/// Makes the artifact of a config with weights drawn by a seed. Knows what the config above needs:
/// hashed ids, plain numbers, a meta block that adapts its weights, full crosses.
class TestModelMaker {
 public:
  TestModelMaker(const std::string& yaml, std::uint64_t seed)
      : config_(parse_config(yaml, "test model")), random_(seed) {
    for (const FeatureOptions& feature : config_.features) {
      FeatureEncoder encoder;
      encoder.name = feature.name;
      encoder.kind = feature.kind == "number" ? FeatureKind::number
                     : feature.kind == "id"   ? FeatureKind::id
                                              : FeatureKind::ids;
      encoder.column = feature.column.empty() ? feature.name : feature.column;
      encoder.dim = encoder.kind == FeatureKind::number ? 0 : feature.dim;
      encoder.separator = feature.separator;
      encoder.transform = encoder.kind == FeatureKind::number ? feature.transform : "";
      encoder.missing_indicator = encoder.kind == FeatureKind::number;
      encoder.vocabulary_kind = feature.vocabulary;
      encoder.hash_size = feature.hash_size;
      encoders_.push_back(encoder);
    }
    for (const auto& [label, expression] : config_.data.labels) labels_.push_back(label);
  }

  /// Returns the version's folder, models/NAME/VERSION.
  std::filesystem::path publish(const std::filesystem::path& models) {
    const InputLayout layout = make_layout(encoders_, {}, labels_);
    make_dense(layout);
    ArtifactWriter writer(models, config_.name);
    writer.add_tensors("dense.safetensors", tensors_);
    if (config_.explore.enabled) {
      tensors_.clear();
      // Every weight deviates by 1/4 on its own.
      const auto width = static_cast<std::size_t>(config_.model.global_block.hidden.back()) + 1;
      for (const std::string& label : labels_) {
        std::vector<float> factor;
        for (std::size_t row = 0; row < width; ++row) {
          factor.insert(factor.end(), row, 0.0F);
          factor.push_back(4);
        }
        const auto size = static_cast<std::int64_t>(factor.size());
        add("posterior." + label, {size}, std::move(factor));
      }
      writer.add_tensors("posterior.safetensors", tensors_);
    }
    for (const EmbeddingTableShape& table : layout.tables) {
      tensors_.clear();
      draw("tables." + table.name, {table.rows, table.dim}, 1);
      writer.add_tensors("tables/" + table.name + ".safetensors", tensors_);
    }
    ManifestFields fields;
    fields.config = config_to_json(config_);
    auto features = nlohmann::json::array();
    for (const FeatureEncoder& encoder : encoders_) features.push_back(encoder.to_json());
    fields.encoders = {{"features", features},
                       {"layout", {{"tables", nlohmann::json::array()}, {"labels", labels_}}}};
    return writer.publish(fields);
  }

 private:
  void add(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> values) {
    values_.push_back(std::move(values));
    tensors_.push_back(
        make_tensor<float>(name, std::move(shape), std::span<const float>(values_.back())));
  }
  /// Uniform in [-most, most).
  void draw(const std::string& name, std::vector<std::int64_t> shape, double most) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(static_cast<float>(most * (2 * random_.uniform() - 1)));
    }
    add(name, std::move(shape), std::move(values));
  }
  void draw_layer(const std::string& weight, const std::string& bias, std::int64_t in,
                  std::int64_t out) {
    draw(weight, {in, out}, 1.5 / std::sqrt(static_cast<double>(in)));
    draw(bias, {out}, 0.5);
  }

  void make_dense(const InputLayout& layout) {
    tensors_.clear();
    std::int64_t inputs = 0;
    for (const std::int64_t width : layout.source_widths) inputs += width;
    const auto labels = static_cast<std::int64_t>(labels_.size());
    const MetaBlockOptions& meta = config_.model.meta_block;
    std::int64_t in = inputs, layer = 0;
    std::vector<std::int64_t> widths = meta.hidden;
    widths.push_back(meta.dim);
    for (const std::int64_t out : widths) {
      const std::string name = "meta_block.layer" + std::to_string(layer++);
      draw_layer(name + "_weight", name + "_bias", in, out);
      in = out;
    }
    draw("log_inner_rates", {2 * layer}, 0.5);
    draw("default_embedding", {1, meta.dim}, 1);
    add("log_shrinkage", {1}, {1.0F});
    add("log_pooling_shrinkage", {1}, {1.0F});
    add("base_rates", {labels}, std::vector<float>(labels_.size(), 0.5F));

    const GlobalBlockOptions& global = config_.model.global_block;
    const std::int64_t width = meta.dim + inputs;
    for (std::int64_t l = 0; l < global.cross.layers; ++l) {
      const std::string name = "global_block.cross.layer" + std::to_string(l);
      draw_layer(name + ".weight", name + ".bias", width, width);
    }
    in = width;
    layer = 0;
    for (const std::int64_t out : global.hidden) {
      const std::string name = "global_block.mlp.layer" + std::to_string(layer++);
      draw_layer(name + ".weight", name + ".bias", in, out);
      in = out;
    }
    draw_layer("global_block.head.weight", "global_block.head.bias", in, labels);
  }

  Config config_;
  Random random_;
  std::vector<FeatureEncoder> encoders_;
  std::vector<std::string> labels_;
  std::deque<std::vector<float>> values_;  ///< what the tensors view
  std::vector<Tensor> tensors_;
};

/// Publishes another version of the test model below `models`, and returns its folder. Other seeds
/// give other scores.
inline std::filesystem::path publish_test_model(const std::filesystem::path& models,
                                                std::uint64_t seed = 1,
                                                const std::string& config = kTestModelConfig) {
  return TestModelMaker(config, seed).publish(models);
}

}  // namespace limber
