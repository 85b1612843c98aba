#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/generator.h"
#include "limber/training/train/trainer.h"

namespace limber {

/// Generated logs, and small models to train on them.
class TrainingCase : public testing::Test {
 protected:
  void SetUp() override {
    generate("logs", 1500, 60);
    torch::set_num_threads(1);
  }

  /// A log of its own, in a folder of that name: more items than before are new ids.
  void generate(const std::string& folder, std::int64_t rows, std::int64_t items) {
    GeneratorOptions options;
    options.rows = rows;
    options.members = 60;
    options.items = items;
    Generator(options).write(folder_.path() / folder);
  }

  Config config(std::vector<std::string> settings = {}, const std::string& logs = "logs") {
    settings.push_back("train.device=cpu");
    return parse_config(R"(
name: clicks
data:
  interactions: )" + logs + R"(/interactions.parquet
  tables: {items: {path: )" +
                            logs + R"(/items.parquet, key: item_id}}
  task: member_id
  time: timestamp
  labels: {click: clicked}
features:
  - {name: item, kind: id, column: item_id, dim: 4}
  - {name: tags, kind: ids, dim: 2}
  - {name: price, kind: number}
  - {name: past, kind: sequence, of: item, length: 3}
model:
  meta_block: {hidden: [8], dim: 4, inputs: [item, tags, price]}
  global_block: {hidden: [16]}
meta: {tasks_per_batch: 16, support: 10, query: 20}
train: {epochs: 2, batch: 128, tensorboard: false, learning_rate: 0.01, threads: 1}
)",
                        "test.yaml", settings, folder_.path());
  }

  Dataset build(const Config& config, const std::vector<FeatureEncoder>* encoders = nullptr,
                Fit fit = Fit::fixed) {
    const std::filesystem::path data = folder_.path() / ("data" + std::to_string(builds_++));
    std::filesystem::create_directories(data);
    return build_dataset(config, data, encoders, nullptr, fit);
  }

  static void expect_same(const std::map<std::string, torch::Tensor>& first,
                          const std::map<std::string, torch::Tensor>& second) {
    ASSERT_EQ(first.size(), second.size());
    for (const auto& [name, tensor] : first) {
      EXPECT_TRUE(torch::equal(tensor, second.at(name))) << name;
    }
  }

  TemporaryFolder folder_;
  int builds_ = 0;
};

}  // namespace limber
