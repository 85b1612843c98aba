// What a data set makes of ids: dictionaries, perfect hashes, quotients and remainders.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "limber/core/data/dataset_case_for_test.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class DatasetVocabularyTest : public DatasetTest {};

TEST_F(DatasetVocabularyTest, FittedEncodersAreUsedUnchanged) {
  write_example();
  const Dataset first = build(config());
  write("items.csv", "item,tags,price\n1,z,77\n2,b,\n3,,30\n4,c,1000\n");
  const fs::path data = folder_.path() / "fitted";
  fs::create_directories(data);
  const Dataset second = build_dataset(config(), data, &first.encoders);
  EXPECT_EQ(second.encoders[2].mean, first.encoders[2].mean);
  // "z" was never seen in training.
  EXPECT_EQ(second.encoders[1].index({false, 0, "z"}), Vocabulary::unknown);
}

TEST_F(DatasetVocabularyTest, GrownDictionariesKeepTheirIndices) {
  write_example();
  const Dataset first = build(config());
  const Vocabulary& items = *first.encoders[0].vocabulary;
  const Vocabulary& tags = *first.encoders[1].vocabulary;
  // Item 5 and tag z are new and frequent, item 6 comes once, items 2 and 9 are gone.
  std::string log = "user,item,rating,when,hour\n";
  for (int i = 0; i < 20; ++i) {
    log += "cid," +
           std::to_string(i == 3       ? 6
                          : i % 2 == 0 ? 5
                                       : 1) +
           "," + std::to_string(i % 5 + 1) + "," + std::to_string(2000 + i) + ",0\n";
  }
  write("log.csv", log);
  write("items.csv", "item,tags,price\n1,a|z,1000\n5,z,2000\n6,b,3000\n");
  const auto grow = [&](const Config& given) {
    const fs::path data = folder_.path() / ("grown" + std::to_string(builds_++));
    fs::create_directories(data);
    return build_dataset(given, data, &first.encoders, nullptr, Fit::grown);
  };
  const Dataset second = grow(config("", {"features.item.min_count=2"}));
  const auto grown_from = [](const Vocabulary& grown, const Vocabulary& old) {
    for (std::int32_t index = 1; index < old.size(); ++index) {
      EXPECT_EQ(grown.text(index), old.text(index));
    }
    return grown.size() - old.size();
  };
  EXPECT_EQ(grown_from(*second.encoders[0].vocabulary, items), 1);
  EXPECT_EQ(second.encoders[0].vocabulary->text(static_cast<std::int32_t>(items.size())), "5");
  EXPECT_EQ(grown_from(*second.encoders[1].vocabulary, tags), 1);
  EXPECT_EQ(second.layout.tables[0].rows, first.layout.tables[0].rows + 1);
  // The weights know the old scale of prices.
  EXPECT_EQ(second.encoders[2].mean, first.encoders[2].mean);
  EXPECT_EQ(grown_from(*grow(config()).encoders[0].vocabulary, items), 2);
  // What the rows hold is what the dictionary says.
  const auto rows = second.sources[1].columns[0].indices.as<std::int32_t>();
  EXPECT_EQ(second.encoders[0].vocabulary->text(rows[0]), "1");
  EXPECT_EQ(second.encoders[0].vocabulary->text(rows[1]), "5");
  EXPECT_EQ(rows[2], Vocabulary::unknown);
  EXPECT_EQ(first.encoders[0].vocabulary->size(), items.size());
}

/// What the rows hold is what the encoder says of the files' values, training rows or not.
TEST_F(DatasetVocabularyTest, PerfectHashesEncodeEveryRowAsWhenServed) {
  write_example();
  const Config few =
      config("", {"features.item.vocabulary=perfect_hash", "features.tags.vocabulary=perfect_hash",
                  "features.tags.fingerprint_bits=1", "features.item.min_count=3"});
  const Dataset dataset = build(few);
  const FeatureEncoder &item = dataset.encoders[0], &tags = dataset.encoders[1];
  ASSERT_TRUE(item.perfect_hash && tags.perfect_hash);
  EXPECT_EQ(tags.perfect_hash->fingerprint_bits(), 1);
  EXPECT_EQ(item.perfect_hash->fingerprint_bits(), 16);
  EXPECT_EQ(dataset.layout.tables[0].rows, item.vocabulary->size());
  EXPECT_EQ(dataset.layout.tables[1].rows, 3) << "a and b; c is in no training row";
  const DataSource& items = dataset.sources[1];
  const auto indices = items.columns[0].indices.as<std::int32_t>();
  const std::vector<std::int64_t> keys = {1, 2, 3, 4, 9};
  ASSERT_EQ(indices.size(), keys.size());
  for (std::size_t row = 0; row < keys.size(); ++row) {
    EXPECT_EQ(indices[row], item.index({true, keys[row], {}}));
    if (indices[row] > 0) {
      EXPECT_EQ(item.vocabulary->key(indices[row]).number, keys[row]);
    }
  }
  const auto starts = items.columns[1].starts.as<std::int64_t>();
  const auto lengths = items.columns[1].lengths.as<std::int32_t>();
  const auto values = items.columns[1].values.as<std::int32_t>();
  const std::vector<std::string> lists = {"ab", "b", "", "c", ""};
  for (std::size_t row = 0; row < lists.size(); ++row) {
    ASSERT_EQ(lengths[row], static_cast<std::int32_t>(lists[row].size()));
    for (std::size_t k = 0; k < lists[row].size(); ++k) {
      EXPECT_EQ(values[static_cast<std::size_t>(starts[row]) + k],
                tags.index({false, 0, std::string_view(lists[row]).substr(k, 1)}));
    }
  }
  // Going on from it changes nothing of it, and serving has no vocabulary.
  std::vector<FeatureEncoder> stored = dataset.encoders;
  for (FeatureEncoder& encoder : stored) {
    if (encoder.perfect_hash) encoder.vocabulary = nullptr;
  }
  for (const Fit fit : {Fit::fixed, Fit::grown}) {
    const fs::path data = folder_.path() / ("again" + std::to_string(builds_++));
    fs::create_directories(data);
    const Dataset again = build_dataset(few, data, &stored, nullptr, fit);
    EXPECT_EQ(again.encoders[0].perfect_hash, item.perfect_hash);
    EXPECT_TRUE(
        std::ranges::equal(again.sources[1].columns[0].indices.as<std::int32_t>(), indices));
    EXPECT_TRUE(std::ranges::equal(again.sources[1].columns[1].values.as<std::int32_t>(), values));
  }
  const std::string nothing =
      message(config("", {"features.item.vocabulary=perfect_hash", "features.item.min_count=100"}));
  EXPECT_NE(nothing.find("features.item: no value"), std::string::npos) << nothing;
}

TEST_F(DatasetVocabularyTest, QuotientsAndRemaindersAreListsOfFourRowsAValue) {
  write_example();
  std::ofstream(folder_.path() / "log.csv", std::ios::app) << "ann,,5,1,3\n";
  const std::vector<std::string> settings = {
      "features.item.vocabulary=qr", "features.tags.vocabulary=qr", "features.item.quotients=50",
      "features.item.remainders=40", "features.tags.quotients=2",   "features.tags.remainders=2"};
  const Dataset first = build(config("", settings));
  const fs::path data = folder_.path() / "fixed";
  fs::create_directories(data);
  const Dataset second =
      build_dataset(config("", settings), data, &first.encoders, nullptr, Fit::fixed);
  for (const Dataset* dataset : {&first, &second}) {
    EXPECT_EQ(dataset->layout.features[0].kind, FeatureKind::ids);
    EXPECT_EQ(dataset->layout.tables[0].rows, 181);
    const DataSource& items = dataset->sources[1];
    const auto row_of = [&](std::size_t column, std::size_t row) {
      const auto values = items.columns[column].values.as<std::int32_t>();
      const auto list = values.subspan(
          static_cast<std::size_t>(items.columns[column].starts.as<std::int64_t>()[row]),
          static_cast<std::size_t>(items.columns[column].lengths.as<std::int32_t>()[row]));
      return std::vector<std::int32_t>(list.begin(), list.end());
    };
    const std::vector<std::int64_t> keys = {1, 2, 3, 4, 9};
    const std::vector<std::string> lists = {"ab", "b", "", "c", ""};
    for (std::size_t row = 0; row < keys.size(); ++row) {
      std::vector<std::int32_t> item, tags;
      dataset->encoders[0].append_rows({true, keys[row], {}}, item);
      for (const char& tag : lists[row]) {
        dataset->encoders[1].append_rows({false, 0, std::string_view(&tag, 1)}, tags);
      }
      EXPECT_EQ(row_of(0, row), item);
      EXPECT_EQ(row_of(1, row), tags);
    }
    // A missing id has row 0, an empty list nothing.
    EXPECT_EQ(row_of(0, 5), std::vector<std::int32_t>{0});
    EXPECT_EQ(row_of(1, 5), std::vector<std::int32_t>{});
    EXPECT_EQ(items.rows, 6);
  }
}

TEST_F(DatasetVocabularyTest, CollisionsAreThoseOfTrainingRows) {
  write_example();
  // Of the items 1, 2, 3 and 9 that training rows have; two rows are too few for them.
  const Dataset hashed =
      build(config("", {"features.item.vocabulary=hash", "features.item.hash_size=2"}));
  EXPECT_EQ(hashed.encoders[0].collisions.values, 4);
  EXPECT_GE(hashed.encoders[0].collisions.sharing, 3);
  EXPECT_LE(hashed.encoders[0].collisions.rows, 2);
  const Dataset wide = build(config("", {"features.item.vocabulary=qr"}));
  EXPECT_EQ(wide.encoders[0].collisions.values, 4);
  EXPECT_EQ(wide.encoders[0].collisions.sharing, 0);
  EXPECT_EQ(build(config()).encoders[0].collisions.values, 0);
}

TEST_F(DatasetVocabularyTest, ACapKeepsTheMostFrequentValues) {
  write_example();
  // Items 1 and 2 come three times in ten rows, 3 and 9 twice.
  for (const char* vocabulary : {"dictionary", "perfect_hash"}) {
    const Dataset dataset = build(config(
        "", {std::string("features.item.vocabulary=") + vocabulary, "features.item.max_values=2"}));
    const FeatureEncoder& item = dataset.encoders[0];
    EXPECT_EQ(item.max_values, 2);
    ASSERT_EQ(item.table_rows(), 3);
    const auto indices = dataset.sources[1].columns[0].indices.as<std::int32_t>();
    std::vector<std::int64_t> known;
    for (std::int32_t row = 1; row < 3; ++row) known.push_back(item.vocabulary->key(row).number);
    std::ranges::sort(known);
    std::map<std::int64_t, int> counts;
    for (const TaskRows& task : dataset.tasks) {
      for (std::int64_t row = task.begin; row < task.train_end; ++row) {
        const int i = 9 - static_cast<int>(row % 10);
        ++counts[i % 4 == 3 ? 9 : i % 4 + 1];
      }
    }
    for (const auto& [key, count] : counts) {
      if (std::ranges::find(known, key) != known.end()) continue;
      for (const std::int64_t kept : known) EXPECT_GE(counts[kept], count);
    }
    EXPECT_EQ(std::ranges::count_if(indices, [](std::int32_t index) { return index > 0; }), 2);
  }
}

}  // namespace
}  // namespace limber
