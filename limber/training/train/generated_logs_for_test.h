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

/// Generated logs in a folder that goes with the test, and data sets built from them.
class GeneratedLogs : public testing::Test {
 protected:
  GeneratedLogs(std::int64_t rows, std::int64_t members, std::int64_t items) : members_(members) {
    generate("logs", rows, items);
    torch::set_num_threads(1);
  }

  /// A log of its own, in a folder of that name: more items than before are new ids.
  void generate(const std::string& folder, std::int64_t rows, std::int64_t items) {
    GeneratorOptions options;
    options.rows = rows;
    options.members = members_;
    options.items = items;
    Generator(options).write(folder_.path() / folder);
  }

  /// Paths in `yaml` are those of the folder.
  Config parse(const std::string& yaml, std::vector<std::string> settings) {
    settings.push_back("train.device=cpu");
    return parse_config(yaml, "test.yaml", settings, folder_.path());
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
  std::int64_t members_;
  int builds_ = 0;
};

}  // namespace limber
