#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"

namespace limber {

/// A small log with a side table, and data sets built from it.
class DatasetTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / name) << text;
  }

  Config config(const std::string& more = "", const std::vector<std::string>& settings = {}) {
    const std::string yaml = R"(
data:
  interactions: log.csv
  tables: {items: {path: items.csv, key: item}}
  task: user
  time: when
  labels: {like: "rating >= 4"}
features:
  - {name: item, kind: id, dim: 4}
  - {name: tags, kind: ids, dim: 2}
  - {name: price, kind: number}
  - {name: hour, kind: number, transform: none}
)" + more;
    return parse_config(yaml, "test.yaml", settings, folder_.path());
  }

  Dataset build(const Config& config) {
    const std::filesystem::path data = folder_.path() / ("data" + std::to_string(builds_++));
    std::filesystem::create_directories(data);
    return build_dataset(config, data);
  }

  std::string message(const Config& config) {
    try {
      build(config);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  /// Two members with ten rows each, times falling in the file so that sorting matters; item 9 has
  /// no row in the side table, the last tag list is empty.
  void write_example() {
    std::string log = "user,item,rating,when,hour\n";
    for (int i = 0; i < 10; ++i) {
      for (const char* user : {"ann", "bob"}) {
        log += std::string(user) + "," + std::to_string(i % 4 == 3 ? 9 : i % 4 + 1) + "," +
               std::to_string(i % 5 + 1) + "," + std::to_string(1000 - i) + "," +
               std::to_string(i) + "\n";
      }
    }
    write("log.csv", log);
    write("items.csv", "item,tags,price\n1,a|b,10\n2,b,\n3,,30\n4,c,1000\n");
  }

  TemporaryFolder folder_;
  int builds_ = 0;
};

}  // namespace limber
