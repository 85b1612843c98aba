#include "limber/core/data/generator.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  std::int64_t item;
  std::int64_t time;
  double price;
  bool clicked;
};

std::vector<Row> rows_of(const fs::path& file) {
  TableReader reader({file}, {"member_id", "item_id", "timestamp", "price", "clicked"}, false);
  std::vector<Row> rows;
  for (Chunk chunk; reader.next(chunk);) {
    std::vector<ColumnView> views;
    for (const auto& column : chunk.batch->columns()) views.emplace_back(column);
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) {
      rows.push_back({views[0].key(i).number, views[1].key(i).number, views[2].time(i),
                      views[3].number(i), views[4].number(i) == 1});
    }
  }
  return rows;
}

TEST(Generator, ClicksHaveTheTrueProbability) {
  const TemporaryFolder folder;
  const Generator generator({.rows = 300000, .members = 2000, .items = 300, .seed = 7});
  generator.write(folder.path());
  const std::vector<Row> rows = rows_of(folder.path() / "interactions.parquet");
  ASSERT_EQ(rows.size(), 300000U);

  struct Bucket {
    double count = 0;
    double expected = 0;
    double variance = 0;
    double clicks = 0;
  };
  std::vector<Bucket> buckets(10);
  for (const Row& row : rows) {
    const double p = generator.probability(row.member, row.item);
    Bucket& bucket = buckets[static_cast<std::size_t>(p * 10)];
    bucket.count += 1;
    bucket.expected += p;
    bucket.variance += p * (1 - p);
    bucket.clicks += row.clicked ? 1 : 0;
  }
  for (const Bucket& bucket : buckets) {
    EXPECT_GT(bucket.count, 1000);
    EXPECT_NEAR(bucket.clicks, bucket.expected, 4.5 * std::sqrt(bucket.variance));
  }
}

TEST(Generator, ActivityAndPopularityArePowerLawsAndTimeRises) {
  const TemporaryFolder folder;
  Generator({.rows = 200000, .members = 1000, .items = 200, .seed = 2}).write(folder.path());
  const std::vector<Row> rows = rows_of(folder.path() / "interactions.parquet");
  std::map<std::int64_t, double> members;
  std::map<std::int64_t, double> items;
  std::map<std::int64_t, std::set<double>> prices;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    members[rows[i].member] += 1;
    items[rows[i].item] += 1;
    prices[rows[i].item].insert(rows[i].price);
    ASSERT_GE(rows[i].time, rows[i == 0 ? 0 : i - 1].time);
  }
  EXPECT_GT(rows.back().time - rows.front().time, 80 * 86400);
  EXPECT_EQ(members.size(), 1000U);
  EXPECT_EQ(members.begin()->first, 1);
  EXPECT_EQ(members.rbegin()->first, 1000);
  for (const auto& [item, seen] : prices) EXPECT_EQ(seen.size(), 1U) << item;
  const auto ratio_of_ranks = [](const std::map<std::int64_t, double>& counts, std::size_t rank) {
    std::vector<double> sorted;
    for (const auto& [id, count] : counts) sorted.push_back(count);
    std::sort(sorted.rbegin(), sorted.rend());
    return sorted[0] / sorted[rank - 1];
  };
  EXPECT_NEAR(ratio_of_ranks(members, 100) / std::pow(100, 0.7), 1, 0.15);
  EXPECT_NEAR(ratio_of_ranks(items, 50) / std::pow(50, 0.9), 1, 0.15);
}

TEST(Generator, DwellFollowsContextAndLikingAndChangesNothingElse) {
  const TemporaryFolder folder;
  GeneratorOptions options{.rows = 60000, .members = 300, .items = 200, .seed = 3};
  Generator(options).write(folder.path() / "without");
  options.with_dwell = true;
  const Generator generator(options);
  generator.write(folder.path() / "with");
  const fs::path file = folder.path() / "with/interactions.parquet";
  const std::vector<Row> rows = rows_of(file);
  const std::vector<Row> others = rows_of(folder.path() / "without/interactions.parquet");
  ASSERT_EQ(rows.size(), others.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].member, others[i].member);
    ASSERT_EQ(rows[i].item, others[i].item);
    ASSERT_EQ(rows[i].clicked, others[i].clicked);
  }

  // Of every surface and content type, what is left of the logarithm once liking is taken out.
  struct Sum {
    double count = 0, sum = 0, squares = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> clusters;
  std::map<std::int64_t, std::set<std::string>> types;
  TableReader reader({file}, {"surface", "content_type", "dwell_seconds"}, false);
  std::size_t at = 0;
  for (Chunk chunk; reader.next(chunk);) {
    const ColumnView surface(chunk.batch->column(0)), type(chunk.batch->column(1)),
        dwell(chunk.batch->column(2));
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i, ++at) {
      const double p = generator.probability(rows[at].member, rows[at].item);
      const double rest = std::log(dwell.number(i) + 1e-4) - 0.5 * std::log(p / (1 - p));
      Sum& cluster = clusters[{std::string(surface.key(i).text), std::string(type.key(i).text)}];
      cluster.count += 1;
      cluster.sum += rest;
      cluster.squares += rest * rest;
      types[rows[at].item].insert(std::string(type.key(i).text));
    }
  }
  const std::map<std::string, double> longer = {{"feed", 0},  {"search", 0.8},  {"profile", 0.4},
                                                {"image", 0}, {"article", 0.9}, {"video", 1.4}};
  EXPECT_EQ(clusters.size(), 9U);
  for (const auto& [name, cluster] : clusters) {
    const double mean = cluster.sum / cluster.count;
    EXPECT_NEAR(mean, 1.8 + longer.at(name.first) + longer.at(name.second),
                5 * 0.7 / std::sqrt(cluster.count))
        << name.first << ' ' << name.second;
    EXPECT_NEAR(std::sqrt(cluster.squares / cluster.count - mean * mean), 0.7, 0.05);
  }
  for (const auto& [item, seen] : types) EXPECT_EQ(seen.size(), 1U) << item;
}

TEST(Generator, SameSeedSameBytes) {
  const TemporaryFolder folder;
  for (const char* format : {"parquet", "csv"}) {
    GeneratorOptions options{.rows = 1000, .members = 50, .items = 40, .seed = 5, .format = format};
    Generator(options).write(folder.path() / "one");
    Generator(options).write(folder.path() / "two");
    options.seed = 6;
    Generator(options).write(folder.path() / "three");
    for (const char* table : {"interactions.", "items.", "members."}) {
      const std::string name = std::string(table) + format;
      const std::string bytes = read_file(folder.path() / "one" / name);
      EXPECT_EQ(read_file(folder.path() / "two" / name), bytes) << name;
      EXPECT_NE(read_file(folder.path() / "three" / name), bytes) << name;
    }
  }
}

TEST(Generator, CsvAndParquetHoldTheSameValues) {
  const TemporaryFolder folder;
  GeneratorOptions options{.rows = 3000, .members = 50, .items = 40, .seed = 5};
  Generator(options).write(folder.path());
  options.format = "csv";
  Generator(options).write(folder.path());
  for (const std::string table : {"interactions", "items", "members"}) {
    const fs::path csv = folder.path() / (table + ".csv");
    const fs::path parquet = folder.path() / (table + ".parquet");
    ASSERT_EQ(column_names({csv}), column_names({parquet}));
    TableReader csv_reader({csv}, {}, false);
    TableReader parquet_reader({parquet}, {}, false);
    Chunk text;
    Chunk typed;
    ASSERT_TRUE(csv_reader.next(text));
    ASSERT_TRUE(parquet_reader.next(typed));
    ASSERT_EQ(text.batch->num_rows(), typed.batch->num_rows());
    std::vector<Key> one;
    std::vector<Key> other;
    for (int column = 0; column < text.batch->num_columns(); ++column) {
      const ColumnView text_view(text.batch->column(column));
      const ColumnView typed_view(typed.batch->column(column));
      for (std::int64_t i = 0; i < text_view.size(); ++i) {
        text_view.keys(i, "|", one);
        typed_view.keys(i, "|", other);
        ASSERT_EQ(one, other) << table << " column " << column << " row " << i;
      }
    }
  }
}

TEST(Generator, RefusesWhatItCannotMake) {
  EXPECT_THROW(Generator({.rows = 0}), InputError);
  EXPECT_THROW(Generator({.members = 0}), InputError);
  EXPECT_THROW(Generator({.items = -1}), InputError);
  EXPECT_THROW(Generator({.format = "json"}), InputError);
  const TemporaryFolder folder;
  write_file_durable(folder.path() / "file", "x");
  EXPECT_THROW(Generator({.rows = 10}).write(folder.path() / "file"), Error);
}

}  // namespace
}  // namespace limber
