#include "limber/core/data/ads_generator.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <set>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/data/column.h"
#include "limber/core/data/reader.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

struct Row {
  std::int64_t member;
  std::int64_t time;
  std::string device;
  std::int64_t category;
  bool clicked;
  double probability;
};

/// Calls back for each row with views of `columns`.
template <class Use>
void for_each(const fs::path& file, const std::vector<std::string>& columns, const Use& use) {
  TableReader reader({file}, columns, false);
  for (Chunk chunk; reader.next(chunk);) {
    std::vector<ColumnView> views;
    for (const auto& column : chunk.batch->columns()) views.emplace_back(column);
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) use(views, i);
  }
}

std::vector<Row> rows_of(const AdsGeneratorOptions& options) {
  const TemporaryFolder folder;
  AdsGenerator(options).write(folder.path());
  std::vector<Row> rows;
  for_each(
      folder.path() / ("interactions." + options.format),
      {"member_id", "timestamp", "device", "category", "clicked", "true_probability"},
      [&](const std::vector<ColumnView>& views, std::int64_t i) {
        rows.push_back({views[0].key(i).number, views[1].time(i), std::string(views[2].key(i).text),
                        views[3].key(i).number, views[4].number(i) == 1, views[5].number(i)});
      });
  return rows;
}

/// Rows of some group: how many, how many clicks, and what the truth expects.
struct Group {
  double rows = 0;
  double clicks = 0;
  double expected = 0;
  double variance = 0;

  void add(const Row& row) {
    rows += 1;
    clicks += row.clicked ? 1 : 0;
    expected += row.probability;
    variance += row.probability * (1 - row.probability);
  }
  double rate() const { return clicks / rows; }
};

TEST(AdsGenerator, ClicksHaveTheTrueProbabilityForEachDevice) {
  const std::vector<Row> rows = rows_of({.rows = 200000, .members = 4000, .with_truth = true});
  ASSERT_EQ(rows.size(), 200000U);
  std::map<std::string, Group> devices;
  std::array<Group, 10> buckets;
  for (const Row& row : rows) {
    devices[row.device].add(row);
    buckets.at(static_cast<std::size_t>(row.probability * 10)).add(row);
  }
  EXPECT_EQ(devices.size(), AdsTruth::kDevices.size());
  for (const auto& [name, device] : devices) {
    const double error = std::sqrt(device.variance) / device.expected;
    EXPECT_NEAR(device.clicks / device.expected, 1, 4 * error) << name;
    EXPECT_LT(error, 0.06) << name;
  }
  for (const Group& bucket : buckets) {
    EXPECT_NEAR(bucket.clicks, bucket.expected, 4.5 * std::sqrt(bucket.variance) + 1);
  }
}

TEST(AdsGenerator, TheRateIsAboutTheAskedOne) {
  for (const double rate : {0.05, 0.2, 0.5}) {
    Group all;
    for (const Row& row :
         rows_of({.rows = 150000, .members = 3000, .rate = rate, .seed = 8, .with_truth = true})) {
      all.add(row);
    }
    EXPECT_NEAR(all.rate() / rate, 1, 0.05);
  }
}

TEST(AdsGenerator, TheRateStandsStill) {
  const std::vector<Row> rows = rows_of({.rows = 300000, .members = 6000, .with_truth = true});
  Group first, last;
  for (std::size_t i = 0; i < 60000; ++i) {
    first.add(rows[i]);
    last.add(rows[rows.size() - 1 - i]);
  }
  // The probabilities' means, which have less chance in them than the clicks.
  EXPECT_NEAR(last.expected / first.expected, 1, 0.015);
}

TEST(AdsGenerator, ClicksDependOnTheOrderOfPastActions) {
  // By what the member's last two actions in the category were, the latest last.
  std::map<std::int64_t, std::map<std::int64_t, std::string>> actions;
  std::map<std::string, Group> after;
  for (const Row& row : rows_of({.rows = 300000, .members = 3000, .seed = 2, .with_truth = true})) {
    std::string& past = actions[row.member][row.category];
    if (past.size() >= 2) after[past.substr(past.size() - 2)].add(row);
    past += row.clicked ? '1' : '0';
  }
  EXPECT_GT(after["01"].rate(), after["10"].rate() + 0.03);
  EXPECT_GT(after["10"].rate(), after["00"].rate() + 0.05);
  // Only the last click counts; members who click twice click more for other reasons.
  EXPECT_NEAR(after["11"].rate(), after["01"].rate(), 0.04);
}

TEST(AdsGenerator, IdsArePowerLawsAndNumbersAreMissingAsTheirLawsSay) {
  constexpr double kRows = 100000;
  const TemporaryFolder folder;
  AdsGenerator({.rows = 100000, .seed = 3}).write(folder.path());
  std::vector<std::string> columns{"category"};
  for (int c = 2; c <= AdsImpression::kIds; ++c) columns.push_back(fmt::format("id_{:02}", c));
  for (int c = 1; c <= AdsImpression::kNumbers; ++c) {
    columns.push_back(fmt::format("number_{:02}", c));
  }
  std::array<std::map<std::int64_t, double>, AdsImpression::kIds> counts;
  std::array<double, AdsImpression::kNumbers> missing{};
  std::array<std::set<double>, AdsImpression::kNumbers> values;
  for_each(folder.path() / "interactions.parquet", columns,
           [&](const std::vector<ColumnView>& views, std::int64_t i) {
             for (std::size_t c = 0; c < counts.size(); ++c) counts[c][views[c].key(i).number] += 1;
             for (std::size_t c = 0; c < missing.size(); ++c) {
               const ColumnView& view = views[counts.size() + c];
               if (view.is_null(i)) {
                 missing[c] += 1;
               } else {
                 values[c].insert(view.number(i));
               }
             }
           });
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const auto& [size, exponent] = AdsTruth::kIdLaws.at(c);
    const PowerLaw law(size, exponent);
    for (const std::int64_t rank : {1, 2, 10}) {
      const double expected = kRows * law.share(rank);
      EXPECT_NEAR(counts[c][rank], expected, 4.5 * std::sqrt(expected)) << c << ' ' << rank;
    }
    EXPECT_GE(counts[c].begin()->first, 1);
    EXPECT_LE(counts[c].rbegin()->first, size);
  }
  EXPECT_GT(counts.back().size(), 10000U);
  for (std::size_t c = 0; c < missing.size(); ++c) {
    EXPECT_NEAR(missing[c] / kRows, AdsTruth::kNumberLaws.at(c).missing, 0.01) << c;
    EXPECT_GE(*values[c].begin(), 0);
    EXPECT_GT(values[c].size(), 10U);
  }
}

TEST(AdsGenerator, TimeRisesWithEveryRowWhateverTheirNumber) {
  std::int64_t last = 0;
  std::int64_t first = 0;
  for (const Row& row : rows_of({.rows = 70000, .members = 10, .with_truth = true})) {
    ASSERT_GT(row.time, last);
    last = row.time;
    if (first == 0) first = row.time;
  }
  EXPECT_GT(last - first, 80 * 86400);
}

TEST(AdsGenerator, SameSeedSameBytes) {
  const TemporaryFolder folder;
  for (const char* format : {"parquet", "csv"}) {
    // More than one block.
    AdsGeneratorOptions options{.rows = 70000, .members = 500, .seed = 5, .format = format};
    AdsGenerator(options).write(folder.path() / "one");
    AdsGenerator(options).write(folder.path() / "two");
    options.seed = 6;
    AdsGenerator(options).write(folder.path() / "three");
    const std::string name = std::string("interactions.") + format;
    const std::string bytes = read_file(folder.path() / "one" / name);
    EXPECT_EQ(read_file(folder.path() / "two" / name), bytes);
    EXPECT_NE(read_file(folder.path() / "three" / name), bytes);
  }
}

TEST(AdsGenerator, TheTruthIsWrittenOnlyWhereAskedFor) {
  const TemporaryFolder folder;
  AdsGeneratorOptions options{.rows = 100, .members = 5};
  AdsGenerator(options).write(folder.path() / "plain");
  options.with_truth = true;
  AdsGenerator(options).write(folder.path() / "truth");
  std::vector<std::string> plain = column_names({folder.path() / "plain/interactions.parquet"});
  EXPECT_EQ(plain.size(), 43U);
  plain.emplace_back("true_probability");
  EXPECT_EQ(column_names({folder.path() / "truth/interactions.parquet"}), plain);
}

TEST(AdsGenerator, RefusesWhatItCannotMake) {
  EXPECT_THROW(AdsGenerator({.rows = 0}), InputError);
  EXPECT_THROW(AdsGenerator({.members = 0}), InputError);
  EXPECT_THROW(AdsGenerator({.members = std::int64_t{1} << 40}), InputError);
  EXPECT_THROW(AdsGenerator({.rate = 0}), InputError);
  EXPECT_THROW(AdsGenerator({.rate = std::nan("")}), InputError);
  EXPECT_THROW(AdsGenerator({.format = "json"}), InputError);
  const TemporaryFolder folder;
  write_file_durable(folder.path() / "file", "x");
  EXPECT_THROW(AdsGenerator({.rows = 10}).write(folder.path() / "file"), Error);
}

}  // namespace
}  // namespace limber
