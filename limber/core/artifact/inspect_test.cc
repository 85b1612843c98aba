#include "limber/core/artifact/inspect.h"

#include <gtest/gtest.h>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

Artifact sample() {
  return Artifact::open(fs::path(LIMBER_SOURCE_DIR) / "tests/data/artifact_v1/sample");
}

TEST(Inspect, SaysEverythingAboutTheSample) {
  // 6 + 1 weights beside one I64 count; 3 x 2 int8 rows with their 3 scales and 3 middles.
  EXPECT_EQ(describe_artifact(sample()), R"(sample, version 000001
written 2026-01-02T03:04:05Z, format 1
531 B in 3 files, 19 parameters

Files
  dense.safetensors         252 B   7 parameters
  tables/genre.safetensors  262 B  12 parameters
  vocabulary/genre.txt       17 B

Tensors
  global_block.0.weight  F32  [2, 3]
  global_block.0.bias    F32  [1]
  seen                   I64  []
  tables.genre.rows      I8   [3, 2]
  tables.genre.scale     F32  [3]
  tables.genre.middle    F32  [3]

Labels
  finish  watched > 0.9
  like    rating >= 4

Features
  genre    id        dictionary: 2 values, 17 B, dim 2
  age      number    standardize
  tags     ids       hash into 1,000 rows, dim 4
  history  sequence  last 20 of genre, dim 2

Data window
  bad_rows       0
  first_time     1764547200
  last_time      1767225599
  members        40
  rows           1200
  split          chronological
  training_rows  960

Metrics
  test.finish.auc       0.625
  test.finish.log_loss  0.6875
  test.like.auc         0.75
  test.like.log_loss    0.5625
)");
}

TEST(Inspect, JsonIsTheManifest) {
  const Artifact artifact = sample();
  EXPECT_EQ(nlohmann::json::parse(describe_artifact_as_json(artifact)), artifact.manifest());
}

TEST(Inspect, LargeNumbersStayReadable) {
  const TemporaryFolder folder;
  const std::vector<float> values(1234567);
  const std::string text(1000, 'x');
  ArtifactWriter writer(folder.path(), "m");
  writer.add_tensors("t.safetensors", std::vector{make_tensor<float>("t", {1234567}, values)});
  writer.add_file("vocabulary/x", text);
  const std::string out = describe_artifact(Artifact::open(writer.publish({})));
  EXPECT_NE(out.find("1,234,567 parameters"), std::string::npos) << out;
  EXPECT_NE(out.find("4.9 MB"), std::string::npos) << out;
  EXPECT_NE(out.find("1.0 kB"), std::string::npos) << out;
  EXPECT_EQ(out.find("Metrics"), std::string::npos) << out;
}

TEST(Inspect, SaysWhatEachVocabularyKnows) {
  using nlohmann::json;
  const TemporaryFolder folder;
  ArtifactWriter writer(folder.path(), "m");
  writer.add_file("vocabulary/user.hash", std::string(23'456, 'x'));
  writer.add_file("vocabulary/city.txt", std::string("\"a\"\n"));
  const auto collisions = [](int values, int sharing) {
    return json{{"values", values}, {"sharing", sharing}, {"rows", 7}};
  };
  ManifestFields fields;
  fields.encoders["features"] = {{{"name", "user"},
                                  {"vocabulary", "perfect_hash"},
                                  {"vocabulary_file", "vocabulary/user.hash"},
                                  {"vocabulary_size", 10001},
                                  {"fingerprint_bits", 16}},
                                 {{"name", "city"},
                                  {"vocabulary", "dictionary"},
                                  {"vocabulary_file", "vocabulary/city.txt"},
                                  {"max_values", 5000}},
                                 {{"name", "item"},
                                  {"vocabulary", "hash"},
                                  {"hash_size", 50000},
                                  {"collisions", collisions(10'312, 1'203)}},
                                 {{"name", "page"},
                                  {"vocabulary", "qr"},
                                  {"quotients", 4000},
                                  {"remainders", 1000},
                                  {"collisions", collisions(10'312, 0)}}};
  const std::string out = describe_artifact(Artifact::open(writer.publish(fields)));
  for (const char* line :
       {"perfect hash: 10,000 values, 23.5 kB, fingerprints of 16 bits\n",
        "dictionary: 1 value of at most 5,000, 4 B\n",
        "hash into 50,000 rows: 10,312 values, 1,203 share a row\n",
        "4,000 quotients and 1,000 remainders of each half of a hash: 10,312 values, none shares "
        "all rows\n"}) {
    EXPECT_NE(out.find(line), std::string::npos) << out;
  }
}

TEST(Inspect, ThresholdsOfLabelsTheLargestClustersFirst) {
  using nlohmann::json;
  const TemporaryFolder folder;
  ArtifactWriter writer(folder.path(), "m");
  json clusters = json::array({{{"values", {"feed", 3}}, {"threshold", 12.5}, {"rows", 200}},
                               {{"values", {nullptr, "a"}}, {"threshold", 8.25}, {"rows", 1500}}});
  for (int i = 0; i < 21; ++i) {
    clusters.push_back({{"values", {"rare", i}}, {"threshold", 1}, {"rows", 100}});
  }
  ManifestFields fields;
  fields.encoders["layout"]["label_thresholds"]["long"] = {
      {"percentile", 90.0},
      {"by", {"surface", "place"}},
      {"all", {{"threshold", 10}, {"rows", 4000}}},
      {"clusters", clusters}};
  const std::string out = describe_artifact(Artifact::open(writer.publish(fields)));
  EXPECT_NE(out.find(R"(
Label thresholds
  long  p90 of all rows                        10  4,000 rows
  long  (missing), a                         8.25  1,500 rows
  long  feed, 3                              12.5    200 rows
  long  rare, 0                                 1    100 rows
)"),
            std::string::npos)
      << out;
  EXPECT_NE(out.find("rare, 17 "), std::string::npos) << out;
  EXPECT_EQ(out.find("rare, 18 "), std::string::npos) << out;
  EXPECT_NE(out.find("  long  3 clusters more (--json shows them)\n"), std::string::npos) << out;
}

TEST(Inspect, FieldsOfAnyShapeAreShownOrLeftOut) {
  using nlohmann::json;
  const TemporaryFolder folder;
  for (const json& odd : {json(nullptr), json(3), json("text"), json::array({1, json::object()}),
                          json{{"data", {{"labels", {{"like", 3}}}}}}, json{{"data", 3}},
                          json{{"name", json::array()}, {"of", 1}},
                          json{{"vocabulary", "qr"}, {"collisions", 3}, {"quotients", -1}},
                          json{{"layout", {{"label_thresholds", {{"like", {{"clusters", 3}}}}}}}},
                          json{{"layout", {{"label_thresholds", {1, 2}}}}}}) {
    ArtifactWriter writer(folder.path(), "m");
    ManifestFields fields;
    fields.config = fields.encoders = fields.data_window = fields.metrics = odd;
    if (odd.is_object() && !odd.contains("layout"))
      fields.encoders = {{"features", json::array({odd, 3, nullptr})}};
    if (odd.is_string()) fields.encoders = {{"features", odd}};
    const std::string out = describe_artifact(Artifact::open(writer.publish(fields)));
    EXPECT_EQ(out.rfind("m, version ", 0), 0u) << out;
  }
}

}  // namespace
}  // namespace limber
