// Labels that are compared with a percentile, through the data set that they are built for.
#include "limber/core/data/percentile_label.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

struct Row {
  int user = 0, time = 0;
  std::string surface, type, dwell;
};

class PercentileLabelTest : public testing::Test {
 protected:
  /// Members' rows in turn, in the order of time; the cluster search/- is rare.
  std::vector<Row> some_rows(int users = 20, int each = 50) {
    Random random(8);
    std::vector<Row> rows;
    for (int r = 0; r < each; ++r) {
      for (int u = 0; u < users; ++u) {
        Row row{u, r, random.below(10) < 8 ? "feed" : "search", "", ""};
        const auto draw = random.below(12);
        row.type = draw == 0 ? "" : draw < 6 ? "video" : "7";
        if (random.below(20) > 0) {
          const double longer = row.type == "video" ? 30 : 5;
          row.dwell = std::to_string(std::round(longer * random.uniform() * 4) / 4);
        }
        rows.push_back(row);
      }
    }
    return rows;
  }

  void write(const std::vector<Row>& rows) {
    std::ofstream file(folder_.path() / "log.csv");
    file << "user,when,surface,type,dwell\n";
    for (const Row& row : rows) {
      file << row.user << ',' << row.time << ',' << row.surface << ',' << row.type << ','
           << row.dwell << '\n';
    }
  }

  Config config(const std::string& expression, const std::vector<std::string>& settings = {}) {
    const std::string yaml =
        "data:\n  interactions: log.csv\n  task: user\n  time: when\n"
        "  missing_labels: absent\n  labels: {late: when >= 3, long: \"" +
        expression + "\"}\nfeatures:\n  - {name: when, kind: number}\n";
    return parse_config(yaml, "test.yaml", settings, folder_.path());
  }

  Dataset build(const Config& config, const Dataset* trained = nullptr) {
    const fs::path data = folder_.path() / ("data" + std::to_string(builds_++));
    fs::create_directories(data);
    return trained == nullptr
               ? build_dataset(config, data)
               : build_dataset(config, data, &trained->encoders, &trained->layout.label_thresholds);
  }

  std::string message(const Config& config, const Dataset* trained = nullptr) {
    try {
      build(config, trained);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  /// The row of the log that is row `r` of the data set: members' rows are in the order of time.
  static const Row& row_of(const std::vector<Row>& rows, const Dataset& dataset, std::int64_t r) {
    for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
      const TaskRows& task = dataset.tasks[t];
      if (r < task.begin || r >= task.end) continue;
      const int user = std::stoi(dataset.task_keys.text(static_cast<std::int32_t>(t + 1)));
      std::int64_t skip = r - task.begin;
      for (const Row& row : rows) {
        if (row.user == user && skip-- == 0) return row;
      }
    }
    throw Error("no such row");
  }

  static bool trains(const Dataset& dataset, std::int64_t r) {
    return std::ranges::any_of(
        dataset.tasks, [&](const TaskRows& task) { return r >= task.begin && r < task.train_end; });
  }

  TemporaryFolder folder_;
  int builds_ = 0;
};

TEST_F(PercentileLabelTest, IsAsBruteForceFindsIt) {
  const std::vector<Row> rows = some_rows();
  write(rows);
  const Dataset dataset = build(config("dwell > p80 by surface, type"));
  ASSERT_EQ(dataset.rows, static_cast<std::int64_t>(rows.size()));
  ASSERT_EQ(dataset.layout.labels, (std::vector<std::string>{"late", "long"}));

  std::map<std::pair<std::string, std::string>, std::vector<double>> clusters;
  std::vector<double> all;
  for (std::int64_t r = 0; r < dataset.rows; ++r) {
    const Row& row = row_of(rows, dataset, r);
    if (!trains(dataset, r) || row.dwell.empty()) continue;
    clusters[{row.surface, row.type}].push_back(std::stod(row.dwell));
    all.push_back(std::stod(row.dwell));
  }
  const auto threshold = [&](std::vector<double> values) {
    std::ranges::sort(values);
    return values[(values.size() * 80 + 99) / 100 - 1];
  };
  const double overall = threshold(all);
  std::size_t listed = 0;
  int ones = 0;
  for (const auto& [name, values] : clusters) listed += values.size() >= 100 ? 1 : 0;
  ASSERT_GT(listed, 1U);
  ASSERT_LT(listed, clusters.size());
  for (std::int64_t r = 0; r < dataset.rows; ++r) {
    const Row& row = row_of(rows, dataset, r);
    const float label = dataset.label(r, 1);
    if (row.dwell.empty()) {
      EXPECT_TRUE(std::isnan(label));
      continue;
    }
    const auto& values = clusters[{row.surface, row.type}];
    const double bound = values.size() >= 100 ? threshold(values) : overall;
    EXPECT_EQ(label, std::stod(row.dwell) > bound ? 1 : 0) << r;
    EXPECT_EQ(dataset.label(r, 0), row.time >= 3 ? 1 : 0);
    ones += label > 0 ? 1 : 0;
  }
  EXPECT_GT(ones, 50);

  const ClusterThresholds& stored = dataset.layout.label_thresholds.at("long");
  EXPECT_EQ(stored.clusters.size(), listed);
  EXPECT_EQ(stored.all.value, overall);
  EXPECT_EQ(stored.all.rows, static_cast<std::int64_t>(all.size()));
  // A number is the same whether it was written as one or as text; what is missing is a value too.
  EXPECT_TRUE(stored.clusters.contains(R"(["feed",7])"));
  EXPECT_FALSE(dataset.layout.label_thresholds.contains("late"));
}

TEST_F(PercentileLabelTest, LaterRowsDoNotMoveThresholds) {
  std::vector<Row> rows = some_rows();
  write(rows);
  const Config clustered = config("dwell > p90 by surface");
  const Dataset before = build(clustered);
  // The last fifth of each member's rows is validation and test.
  for (Row& row : rows) {
    if (row.time >= 40) row.dwell = "1000";
  }
  write(rows);
  const Dataset after = build(clustered);
  const ClusterThresholds& one = before.layout.label_thresholds.at("long");
  const ClusterThresholds& other = after.layout.label_thresholds.at("long");
  EXPECT_EQ(one.all.value, other.all.value);
  ASSERT_EQ(one.clusters.size(), 2U);
  for (const auto& [name, measured] : one.clusters) EXPECT_EQ(other.of(name), measured.value);
  for (std::int64_t r = 0; r < after.rows; ++r) {
    if (!trains(after, r)) {
      EXPECT_EQ(after.label(r, 1), 1);
    }
  }
  // Had they been training rows, they would have.
  for (Row& row : rows) {
    if (row.time >= 38) row.dwell = "1000";
  }
  write(rows);
  EXPECT_NE(build(clustered).layout.label_thresholds.at("long").all.value, one.all.value);
}

TEST_F(PercentileLabelTest, StoredThresholdsAreUsedUnchanged) {
  std::vector<Row> rows = some_rows();
  write(rows);
  const Config clustered = config("dwell > p90 by surface");
  const Dataset trained = build(clustered);
  for (Row& row : rows) {
    if (!row.dwell.empty()) row.dwell = std::to_string(std::stod(row.dwell) + 20);
  }
  rows[0].surface = "a new one";
  rows[0].dwell = "29";
  write(rows);
  const Dataset later = build(clustered, &trained);
  const ClusterThresholds& stored = trained.layout.label_thresholds.at("long");
  EXPECT_EQ(to_json(later.layout.label_thresholds), to_json(trained.layout.label_thresholds));
  for (std::int64_t r = 0; r < later.rows; ++r) {
    const Row& row = row_of(rows, later, r);
    if (row.dwell.empty()) continue;
    const double bound = stored.of("[\"" + row.surface + "\"]");
    EXPECT_EQ(later.label(r, 1), std::stod(row.dwell) > bound ? 1 : 0);
    if (row.surface == "a new one") {
      EXPECT_EQ(bound, stored.all.value);
    }
  }
  // Another percentile was never measured.
  const std::string found = message(config("dwell > p95 by surface"), &trained);
  EXPECT_NE(found.find("data.labels.long"), std::string::npos) << found;
  EXPECT_NE(found.find("p90 by surface"), std::string::npos) << found;
  const Dataset plain = build(config("dwell > 30"));
  EXPECT_NE(message(clustered, &plain).find("trained without"), std::string::npos);
}

TEST_F(PercentileLabelTest, WithoutClustersThereIsOne) {
  write(some_rows());
  const Dataset dataset = build(config("dwell <= p25"));
  const ClusterThresholds& stored = dataset.layout.label_thresholds.at("long");
  EXPECT_TRUE(stored.clusters.empty());
  EXPECT_GT(stored.all.rows, 500);
  double ones = 0;
  for (std::int64_t r = 0; r < dataset.rows; ++r) ones += dataset.label(r, 1) > 0 ? 1 : 0;
  EXPECT_NEAR(ones / static_cast<double>(dataset.rows), 0.25, 0.05);
}

TEST_F(PercentileLabelTest, WhatIsMissing) {
  std::vector<Row> rows = some_rows();
  write(rows);
  EXPECT_NE(message(config("dwell > p90 by surfaces")).find("did you mean surface"),
            std::string::npos);
  EXPECT_NE(message(config("dwel > p90")).find("did you mean dwell"), std::string::npos);
  const std::string missing = message(config("dwell > p90", {"data.missing_labels=fail"}));
  EXPECT_NE(missing.find("column dwell: missing label"), std::string::npos) << missing;
  rows[4].dwell = "long";
  write(rows);
  const std::string word = message(config("dwell > p90"));
  EXPECT_NE(word.find("row 5, column dwell"), std::string::npos) << word;
  const Dataset skipped = build(config("dwell > p90", {"data.on_bad_row=skip"}));
  EXPECT_EQ(skipped.bad_rows, 1);
  for (Row& row : rows) row.dwell = row.time < 45 ? "" : "3";
  write(rows);
  const std::string none = message(config("dwell > p90"));
  EXPECT_NE(none.find("data.labels.long: no training row has it"), std::string::npos) << none;
}

}  // namespace
}  // namespace limber
