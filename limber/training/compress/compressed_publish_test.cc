#include "limber/training/compress/compressed_publish.h"

#include <algorithm>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/artifact/version.h"
#include "limber/core/data/popularity.h"
#include "limber/training/compress/ranking_network.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/training_case_for_test.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class CompressedPublish : public TrainingCase {
 protected:
  void SetUp() override {
    config_ = this->config({"model.global_block.hidden=[16, 12]", "features.item.dim=16"});
    dataset_ = build(config_);
    model_ = make_model(config_, dataset_, torch::kCPU);
    publish_model(models(), config_, dataset_, model_, {{"auc", 0.7}}, "");
  }

  fs::path models() const { return folder_.path() / "models"; }
  Artifact first() const { return Artifact::open(models() / "clicks" / "000001"); }

  CompressedModel plain_model() {
    CompressedModel compressed;
    compressed.config = config_;
    compressed.model = model_;
    compressed.encoders = dataset_.encoders;
    return compressed;
  }

  Artifact publish(const CompressedModel& compressed, const Artifact& from) {
    return Artifact::open(publish_compressed(models(), from, compressed, {{"auc", 0.69}}, 1.5));
  }

  static std::vector<float> rows_of(const Artifact& artifact, const RankingModel& model,
                                    std::size_t table) {
    const EmbeddingTableShape& shape = model->tables.shapes()[table];
    return read_rows(artifact, "tables." + shape.name, shape.rows, shape.dim);
  }

  static std::vector<float> values(const torch::Tensor& tensor) {
    const torch::Tensor plain = tensor.detach().contiguous();
    return {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()};
  }

  Config config_;
  Dataset dataset_;
  RankingModel model_{nullptr};
};

TEST_F(CompressedPublish, TablesAreReadAsTheyWereRounded) {
  const Artifact before = first();
  const std::string manifest = read_file(before.folder() / kManifestName);
  for (const RowType type : {RowType::kFloat32, RowType::kFloat16, RowType::kInt8}) {
    CompressedModel compressed = plain_model();
    compressed.rows = type;
    const std::vector<torch::Tensor> given = model_->tables.weights();
    round_tables(compressed);
    const Artifact artifact = publish(compressed, before);
    for (std::size_t t = 0; t < given.size(); ++t) {
      EXPECT_EQ(rows_of(artifact, model_, t), values(model_->tables.weights()[t]));
      EXPECT_LT((model_->tables.weights()[t] - given[t]).abs().max().item<float>(), 0.01);
    }
    EXPECT_EQ(artifact.contents().format >= kCompressedFormat, type != RowType::kFloat32);
    const auto& says = artifact.contents().fields.data_window.at("compressed");
    EXPECT_EQ(says.at("from"), "clicks/000001");
    EXPECT_EQ(says.at("seconds"), 1.5);
    if (type == RowType::kInt8) {
      EXPECT_LT(part_sizes(artifact).tables, part_sizes(before).tables);
      EXPECT_GT(says.at("ratio").get<double>(), 1);
    }
    model_->tables.weights() = given;
  }
  // The version before is as it was: its checksums hold, and so does its manifest.
  EXPECT_EQ(read_file(first().folder() / kManifestName), manifest);
  EXPECT_EQ(list_versions(models() / "clicks").size(), 4U);
}

TEST_F(CompressedPublish, NarrowRowsStayFloats) {
  EXPECT_EQ(row_type_for(RowType::kInt8, 2), RowType::kFloat32);
  EXPECT_EQ(row_type_for(RowType::kInt8, 3), RowType::kInt8);
  EXPECT_EQ(row_type_for(RowType::kFloat16, 1), RowType::kFloat16);
  CompressedModel compressed = plain_model();
  compressed.rows = RowType::kInt8;
  round_tables(compressed);
  const Artifact artifact = publish(compressed, first());
  EXPECT_EQ(artifact.tensor("tables.item").type, DataType::kI8);
  EXPECT_EQ(artifact.tensor("tables.tags").type, DataType::kF32);
}

TEST_F(CompressedPublish, HashesFindTheRowsOfTheirValues) {
  const HashedVocabularies hashed = hash_vocabularies(config_, dataset_.encoders);
  ASSERT_TRUE(hashed.rows_before.contains("item"));
  CompressedModel compressed = plain_model();
  const std::vector<torch::Tensor> given = model_->tables.weights();
  move_rows(compressed.model, hashed);
  compressed.encoders = hashed.encoders;
  compressed.rows_before = hashed.rows_before;
  const Artifact artifact = publish(compressed, first());
  EXPECT_FALSE(artifact.has_file("vocabulary/item.txt"));
  EXPECT_GE(artifact.contents().format, kCompressedFormat);
  std::int64_t checked = 0;
  for (const auto& json : artifact.contents().fields.encoders.at("features")) {
    if (json.value("vocabulary", "") != "perfect_hash") continue;
    const std::string name = json.at("name");
    const auto hash = PerfectHash::from_bytes(
        artifact.read(json.at("vocabulary_file").get<std::string>()), "test");
    for (std::size_t t = 0; t < given.size(); ++t) {
      if (model_->tables.shapes()[t].name != name) continue;
      const std::int64_t dim = given[t].size(1);
      const std::vector<float> before = values(given[t]), after = rows_of(artifact, model_, t);
      ASSERT_EQ(before.size(), after.size());
      const auto encoder = std::find_if(dataset_.encoders.begin(), dataset_.encoders.end(),
                                        [&](const auto& one) { return one.name == name; });
      const auto same_row = [&](std::int64_t old_row, std::int64_t new_row) {
        return std::equal(before.begin() + old_row * dim, before.begin() + (old_row + 1) * dim,
                          after.begin() + new_row * dim);
      };
      EXPECT_TRUE(same_row(0, 0));
      for (std::int32_t index = 1; index < encoder->vocabulary->size(); ++index) {
        EXPECT_TRUE(same_row(index, hash.find(hash_key(encoder->vocabulary->key(index)))));
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 50);
}

TEST_F(CompressedPublish, DenseWeightsComeBackToTheBit) {
  config_.compress.bits = 4;
  config_.compress.structure = "blocks";
  config_.compress.block = {5, 4};
  config_.compress.keep = 0.5;
  config_.compress.admm.epochs = 0;
  config_.compress.admm.retrain_epochs = 0;
  RankingNetwork network(config_, dataset_, model_);
  const CompressionResult result =
      compress_network(network, config_.compress, folder_.path() / "work", false);
  CompressedModel compressed = plain_model();
  compressed.packing = packing_of(config_.compress, result, {config_, model_, {}});
  compressed.dense_changed = true;
  EXPECT_EQ(compressed.packing.size(), 2U);
  const Artifact artifact = publish(compressed, first());
  for (const auto& [name, tensor] : model_->dense_tensors()) {
    if (name.starts_with("numbers.")) continue;
    const auto stored = artifact.tensor(name).values<float>();
    const std::vector<float> expected = values(tensor);
    // Zeros come back without a sign.
    EXPECT_TRUE(std::equal(stored.begin(), stored.end(), expected.begin(), expected.end())) << name;
  }
  EXPECT_EQ(artifact.packed_weights().size(), 2U);
  EXPECT_LT(part_sizes(artifact).dense, part_sizes(first()).dense);
}

TEST_F(CompressedPublish, WhatStandsBesideStaysWhileItIsTrue) {
  // A version with popularity, a posterior and Fisher information.
  const Artifact trained = first();
  const std::int64_t rows = dataset_.encoders[0].vocabulary->size();
  std::vector<float> effects(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < effects.size(); ++i) effects[i] = static_cast<float>(i);
  const std::vector<float> one = {1};
  {
    ArtifactWriter writer(models(), "clicks");
    for (const FileEntry& file : trained.contents().files) writer.add_copy(trained, file.path);
    const auto add = [&](const char* file, const char* name, std::vector<std::int64_t> shape,
                         const std::vector<float>& data) {
      const Tensor tensor = make_tensor<float>(name, std::move(shape), data);
      writer.add_tensors(file, std::span(&tensor, 1));
    };
    add(Popularity::kFile, Popularity::kTensor, {rows, 1}, effects);
    add("posterior.safetensors", "posterior.click", {1}, one);
    add(kFisherFile, "fisher.any", {1}, one);
    ManifestFields fields = trained.contents().fields;
    fields.encoders["popularity"] = {{"feature", "item"}};
    fields.data_window["fisher"] = {{"rows", 1}, {"examples", 1}};
    writer.publish(fields);
  }
  const Artifact from = Artifact::open(models() / "clicks");
  ASSERT_EQ(from.version(), "000002");

  CompressedModel compressed = plain_model();
  const Artifact rounded = publish(compressed, from);
  EXPECT_TRUE(rounded.has_file("posterior.safetensors"));
  EXPECT_TRUE(rounded.has_file(kFisherFile));
  EXPECT_TRUE(rounded.has_tensor(Popularity::kTensor));

  const HashedVocabularies hashed = hash_vocabularies(config_, dataset_.encoders);
  move_rows(compressed.model, hashed);
  compressed.encoders = hashed.encoders;
  compressed.rows_before = hashed.rows_before;
  const Artifact moved = publish(compressed, from);
  EXPECT_TRUE(moved.has_file("posterior.safetensors"));
  EXPECT_FALSE(moved.has_file(kFisherFile));
  EXPECT_FALSE(moved.contents().fields.data_window.contains("fisher"));
  const auto values = moved.tensor(Popularity::kTensor).values<float>();
  const auto& hash = *hashed.encoders[0].perfect_hash;
  for (std::int32_t index = 1; index < rows; ++index) {
    const std::int32_t row = hash.find(hash_key(dataset_.encoders[0].vocabulary->key(index)));
    EXPECT_EQ(values[static_cast<std::size_t>(row)], static_cast<float>(index));
  }

  compressed.dense_changed = true;
  EXPECT_FALSE(publish(compressed, from).has_file("posterior.safetensors"));
}

}  // namespace
}  // namespace limber
