// Labels that are compared with a percentile: those of a request's rows are those of the log's.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/serving/rows/log_rows.h"
#include "limber/serving/rows/served_model.h"
#include "limber/training/train/publish.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class RequestLabels : public testing::Test {
 protected:
  /// Members one after the other, each in the order of time, as the data set has them.
  void write_log() {
    Random random(12);
    std::ofstream log(folder_.path() / "log.csv");
    log << "member,item,surface,place,time,dwell\n";
    for (int m = 0; m < 8; ++m) {
      for (int r = 0; r < 120; ++r) {
        const bool feed = random.below(3) > 0;
        log << 'm' << m << ",i" << random.below(9) << ',' << (feed ? "feed" : "caf\xc3\xa9") << ','
            << (random.below(2) == 0 ? "" : std::to_string(random.below(2))) << ',' << r << ','
            << (random.below(15) == 0 ? "" : fmt::format("{}", (feed ? 9 : 2) * random.uniform()))
            << '\n';
      }
    }
  }

  Config config(const std::string& expression) {
    const std::string yaml =
        "name: dwell\ndata:\n  interactions: log.csv\n  task: member\n  time: time\n"
        "  missing_labels: absent\n  labels: {long: \"" +
        expression +
        "\", short: dwell <= p40}\nfeatures:\n  - {name: item, kind: id, dim: 2}\n"
        "model:\n  meta_block: {hidden: [], dim: 2}\n  global_block: {hidden: [4]}\n";
    return parse_config(yaml, "test.yaml", {}, folder_.path());
  }

  fs::path publish(const Config& config) {
    fs::create_directories(folder_.path() / "cache");
    dataset_ = build_dataset(config, folder_.path() / "cache");
    const RankingModel model(dataset_.layout, config.model, config.meta,
                             std::vector<double>{0.1, 0.4}, 7,
                             torch::TensorOptions().dtype(torch::kFloat));
    return publish_model(folder_.path() / "models", config, dataset_, model,
                         nlohmann::json::object(), "");
  }

  TemporaryFolder folder_;
  Dataset dataset_;
};

TEST_F(RequestLabels, EqualTheLogs) {
  write_log();
  const auto served = ServedModel::load(publish(config("dwell > p90 by surface, place")), {});
  const RequestSchema& schema = served->schema();
  const auto& stored = dataset_.layout.label_thresholds.at("long");
  ASSERT_GE(stored.clusters.size(), 2U);
  ASSERT_LE(stored.clusters.size(), 5U);
  std::int64_t at_row = 0;
  double ones = 0;
  for_each_log_row({folder_.path() / "log.csv"}, schema, false, "reading",
                   [&](FieldRow& row, const LogPlace&) {
                     for (std::size_t l = 0; l < 2; ++l) {
                       const RequestSchema::Label& label = schema.labels()[l];
                       const float expected = dataset_.label(at_row, l);
                       ASSERT_EQ(std::isnan(expected), row[label.column].missing());
                       if (std::isnan(expected)) continue;
                       std::size_t at = 0;
                       ASSERT_EQ(label.evaluate(row, at), expected) << at_row;
                       ones += l == 0 ? expected : 0;
                       // As JSON would have it: numbers instead of their spellings.
                       FieldRow typed = row;
                       typed[label.column] = FieldValue::of(number_of(row[label.column]));
                       const auto place = static_cast<std::size_t>(schema.find("place"));
                       if (!row[place].missing()) {
                         typed[place] = FieldValue::of(static_cast<double>(number_of(row[place])));
                       }
                       ASSERT_EQ(label.evaluate(typed, at), expected) << at_row;
                     }
                     ++at_row;
                   });
  EXPECT_EQ(at_row, dataset_.rows);
  EXPECT_GT(ones, 40);

  // A cluster that training did not see, and fields that do not come at all.
  const RequestSchema::Label& label = schema.labels()[0];
  FieldRow row(schema);
  std::size_t at = 0;
  for (const double dwell : {stored.all.value, std::nextafter(stored.all.value, 100.0)}) {
    row[label.column] = FieldValue::of(dwell);
    row[label.clusters[0]] = FieldValue::of(std::string_view("search"));
    EXPECT_EQ(label.evaluate(row, at), dwell > stored.all.value ? 1 : 0);
    row[label.clusters[0]] = {};
    EXPECT_EQ(label.evaluate(row, at), dwell > stored.all.value ? 1 : 0);
  }
  // What cannot be used says where.
  row[label.clusters[0]].kind = FieldValue::Kind::kList;
  EXPECT_THROW(label.evaluate(row, at), BadValue);
  EXPECT_EQ(at, label.clusters[0]);
  row[label.column] = FieldValue::of(std::string_view("long"));
  EXPECT_THROW(label.evaluate(row, at), BadValue);
  EXPECT_EQ(at, label.column);
}

TEST_F(RequestLabels, TrainingReadsTheThresholdsBack) {
  write_log();
  const Config asked = config("dwell > p90 by surface");
  const fs::path version = publish(asked);
  const LoadedModel loaded = load_model(Artifact::open(version), torch::kCPU);
  fs::create_directories(folder_.path() / "again");
  const Dataset again = build_dataset_for(loaded, asked, folder_.path() / "again");
  EXPECT_EQ(to_json(again.layout.label_thresholds), to_json(dataset_.layout.label_thresholds));
  fs::create_directories(folder_.path() / "other");
  EXPECT_THROW(
      build_dataset_for(loaded, config("dwell > p80 by surface"), folder_.path() / "other"),
      InputError);
}

}  // namespace
}  // namespace limber
