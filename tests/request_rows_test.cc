// Rows of a request and rows of the log become the same inputs.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <numeric>
#include <string>

#include "limber/core/base/files.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/serving/rows/log_rows.h"
#include "limber/serving/rows/row_encoder.h"
#include "limber/serving/rows/served_model.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/training/train/publish.h"
#include "tests/parity_shapes.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

/// Rows of a request and rows of the log become the same inputs: every kind of feature, missing
/// values, keys that no vocabulary and no table knows, a member's own past. `vocabularies` of
/// features by name.
void expect_equal_rows(const std::map<std::string, std::string>& vocabularies) {
  const TemporaryFolder folder;
  write_log(folder.path());
  Shape shape{};
  shape.meta = "interaction";
  shape.adapt = "weights";
  shape.meta_activation = shape.activation = "relu";
  shape.start = "zero";
  shape.history = "off";
  shape.signal = "label";
  shape.cross = "none";
  shape.mlp = "one";
  Config config = make_config(folder.path(), shape);
  for (FeatureOptions& feature : config.features) {
    const auto vocabulary = vocabularies.find(feature.name);
    if (vocabulary == vocabularies.end()) continue;
    feature.vocabulary = vocabulary->second;
    // Few enough that unknown values are taken for known ones, and values share rows.
    feature.fingerprint_bits = 2;
    feature.quotients = 3;
    feature.remainders = 2;
  }
  fs::create_directories(folder.path() / "cache");
  const Dataset dataset = build_dataset(config, folder.path() / "cache");
  RankingModel model(dataset.layout, config.model, config.meta, std::vector<double>{0.3, 0.6}, 7,
                     torch::TensorOptions().dtype(torch::kFloat));
  scatter(model);
  const fs::path published =
      publish_model(folder.path() / "models", config, dataset, model, nlohmann::json::object(), "");
  const auto served = ServedModel::load(published, {});
  const RuntimeModel& runtime = served->runtime();
  std::vector<std::size_t> features(runtime.layout.features.size());
  std::iota(features.begin(), features.end(), 0);
  const InputPlan all(runtime.layout, runtime.tables, features);

  // The log is in the order of members and, within them, of time, as the data set is.
  std::vector<std::int64_t> rows(static_cast<std::size_t>(dataset.rows));
  std::iota(rows.begin(), rows.end(), 0);
  DatasetRows log(dataset);
  const std::int64_t width = all.width();
  std::vector<float> expected(rows.size() * static_cast<std::size_t>(width));
  all.fill(log.gather(rows), 0, dataset.rows, expected.data(), width);

  RowEncoder encoder(runtime, served->catalogue(), served->schema());
  std::vector<float> got;
  std::string member, room;
  const auto flush = [&] {
    encoder.chain_sequences();
    const std::size_t before = got.size();
    got.resize(before + static_cast<std::size_t>(encoder.rows() * width));
    all.fill(encoder.set(), 0, encoder.rows(), got.data() + before, width);
    encoder.restart();
  };
  encoder.restart();
  const auto position = static_cast<std::size_t>(served->schema().find("position"));
  for_each_log_row({folder.path() / "log.csv"}, served->schema(), false, "reading",
                   [&](FieldRow& row, const LogPlace&) {
                     const Key key = key_of(row[served->schema().task()], room);
                     if (std::string(key.text) != member) flush();
                     member = key.text;
                     // A row that cannot be used leaves no trace.
                     FieldRow bad = row;
                     bad[position] = FieldValue::of(std::string_view("far down"));
                     ASSERT_THROW(encoder.add(bad), BadField);
                     encoder.add(row);
                   });
  flush();
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], expected[i]) << "row " << i / static_cast<std::size_t>(width) << ", column "
                                   << i % static_cast<std::size_t>(width);
  }
}

TEST(RequestRows, EqualTheLogs) {
  expect_equal_rows({});
}

TEST(RequestRows, EqualTheLogsWithPerfectHashes) {
  expect_equal_rows({{"item", "perfect_hash"},
                     {"tags", "perfect_hash"},
                     {"device", "perfect_hash"},
                     {"words", "perfect_hash"},
                     {"city", "perfect_hash"}});
}

TEST(RequestRows, EqualTheLogsWithQuotientsAndRemainders) {
  expect_equal_rows({{"tags", "qr"}, {"device", "qr"}, {"words", "qr"}, {"city", "qr"}});
}

}  // namespace
}  // namespace limber
