#include "limber/core/data/dataset_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/config/config.h"
#include "limber/core/data/loader.h"
#include "limber/core/data/samplers.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

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
    const fs::path data = folder_.path() / ("data" + std::to_string(builds_++));
    fs::create_directories(data);
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

TEST_F(DatasetTest, SortsByMemberAndTimeAndSplitsChronologically) {
  write_example();
  const Dataset dataset = build(config());
  EXPECT_EQ(dataset.split, "chronological");
  ASSERT_EQ(dataset.tasks.size(), 2U);
  EXPECT_EQ(dataset.rows, 20);
  const auto times = dataset.times.as<std::int64_t>();
  for (const TaskRows& task : dataset.tasks) {
    EXPECT_EQ(task.end - task.begin, 10);
    EXPECT_EQ(task.train_end - task.begin, 8);
    EXPECT_EQ(task.validation_end - task.begin, 9);
    for (std::int64_t row = task.begin + 1; row < task.end; ++row) {
      EXPECT_LT(times[static_cast<std::size_t>(row - 1)], times[static_cast<std::size_t>(row)]);
    }
  }
  EXPECT_EQ(dataset.task_keys.text(1), "ann");
  // Rows by rising time: i = 9, 8, ..., so ratings 5, 4, 3, 2, 1, 5, ...
  EXPECT_EQ(dataset.label(0, 0), 1);
  EXPECT_EQ(dataset.label(1, 0), 1);
  EXPECT_EQ(dataset.label(2, 0), 0);
}

TEST_F(DatasetTest, JoinsSideTablesAndKeepsUnlistedKeys) {
  write_example();
  const Dataset dataset = build(config());
  ASSERT_EQ(dataset.sources.size(), 2U);
  EXPECT_EQ(dataset.sources[1].rows, 5);  // four items and the unlisted one
  BatchMaker maker(dataset);
  RowBatch batch;
  std::vector<std::int64_t> rows(20);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  maker.gather(rows, batch);
  // What the batch says of each row must be what the file says.
  const InputLayout& layout = dataset.layout;
  const auto feature = [&](const char* name) {
    for (std::size_t f = 0; f < layout.features.size(); ++f) {
      if (layout.features[f].name == name) return f;
    }
    return std::size_t{99};
  };
  const std::size_t item = feature("item"), tags = feature("tags"), price = feature("price");
  const auto words = [&](std::size_t f, std::int64_t index) {
    const auto table = static_cast<std::size_t>(layout.features[f].table);
    return dataset.encoders[f].vocabulary->text(
        static_cast<std::int32_t>(batch.table_rows[table][static_cast<std::size_t>(index)]));
  };
  const std::map<std::string, std::vector<std::string>> expected_tags = {
      {"1", {"a", "b"}}, {"2", {"b"}}, {"3", {}}, {"9", {}}};
  for (std::size_t i = 0; i < 20; ++i) {
    const auto side = static_cast<std::size_t>(batch.sources[1].positions[i]);
    const int original = 9 - static_cast<int>(i % 10);
    const std::string key = std::to_string(original % 4 == 3 ? 9 : original % 4 + 1);
    EXPECT_EQ(words(item, batch.sources[1].features[item].indices[side]), key);
    const FeatureBatch& list = batch.sources[1].features[tags];
    std::vector<std::string> found;
    for (auto at = list.offsets[side]; at < list.offsets[side + 1]; ++at) {
      found.push_back(words(tags, list.indices[static_cast<std::size_t>(at)]));
    }
    EXPECT_EQ(found, expected_tags.at(key));
    const float value = batch.sources[1].features[price].numbers[side];
    EXPECT_EQ(std::isnan(value), key == "2" || key == "9");
    EXPECT_EQ(batch.sources[0].features[feature("hour")].numbers[i], static_cast<float>(original));
  }
  // Item 4 is never interacted with: its price must not enter the statistics.
  EXPECT_DOUBLE_EQ(dataset.encoders[price].mean, 20);
  EXPECT_EQ(dataset.encoders[tags].vocabulary->find({false, 0, "c"}), Vocabulary::unknown);
}

TEST_F(DatasetTest, MinCountCountsTrainingRowsOnly) {
  write_example();
  const Dataset all = build(config());
  const Dataset frequent = build(config("", {"features.item.min_count=6"}));
  EXPECT_GT(all.encoders[0].vocabulary->size(), frequent.encoders[0].vocabulary->size());
}

TEST_F(DatasetTest, ColdMembersAreWholeAndStable) {
  std::string log = "user,item,rating,when,hour\n";
  for (int user = 0; user < 200; ++user) {
    for (int i = 0; i < 5; ++i) {
      log +=
          std::to_string(user) + ",1," + std::to_string(i + 1) + "," + std::to_string(i) + ",0\n";
    }
  }
  write("items.csv", "item,tags,price\n1,a,1\n");
  write("log.csv", log);
  const Config cold = config("", {"data.split=members", "data.test_share=0.2"});
  const Dataset dataset = build(cold);
  std::map<std::string, Part> parts;
  std::map<Part, int> counts;
  for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
    const TaskRows& task = dataset.tasks[t];
    const bool train = task.train_end == task.end;
    const bool validation = task.train_end == task.begin && task.validation_end == task.end;
    const bool test = task.validation_end == task.begin;
    EXPECT_EQ(train + validation + test, 1);
    parts[dataset.task_keys.text(static_cast<std::int32_t>(t + 1))] = dataset.part_of(task);
    ++counts[dataset.part_of(task)];
  }
  EXPECT_NEAR(counts[Part::test], 40, 20);
  EXPECT_NEAR(counts[Part::validation], 20, 15);
  // More data must not move a member to another part.
  write("log.csv", log + "new,1,5,9,0\n");
  const Dataset grown = build(cold);
  for (std::size_t t = 0; t < grown.tasks.size(); ++t) {
    const std::string key = grown.task_keys.text(static_cast<std::int32_t>(t + 1));
    if (parts.contains(key)) {
      EXPECT_EQ(grown.part_of(grown.tasks[t]), parts[key]);
    }
  }
}

TEST_F(DatasetTest, BadRowsNameFileRowAndColumn) {
  write_example();
  std::ofstream(folder_.path() / "log.csv", std::ios::app) << "cid,1,abc,5,3\n";
  const std::string found = message(config());
  EXPECT_NE(found.find("log.csv: row 21, column rating"), std::string::npos) << found;
  EXPECT_NE(found.find("abc"), std::string::npos) << found;
  const Dataset skipped = build(config("", {"data.on_bad_row=skip"}));
  EXPECT_EQ(skipped.bad_rows, 1);
  EXPECT_EQ(skipped.rows, 20);
  EXPECT_EQ(skipped.tasks.size(), 2U);
}

TEST_F(DatasetTest, AnEmptyLabelIsABadRowOrAbsent) {
  write_example();
  std::ofstream(folder_.path() / "log.csv", std::ios::app) << "cid,1,,5,3\ncid,2,5,6,3\n";
  const std::string found = message(config());
  EXPECT_NE(found.find("log.csv: row 21, column rating: missing label"), std::string::npos)
      << found;
  const Dataset dataset = build(config("", {"data.missing_labels=absent"}));
  ASSERT_EQ(dataset.rows, 22);
  EXPECT_TRUE(std::isnan(dataset.label(20, 0)));
  EXPECT_EQ(dataset.label(21, 0), 1);
  EXPECT_FALSE(std::isnan(dataset.label(0, 0)));
}

TEST_F(DatasetTest, ALabelThatNoTrainingRowHasIsRefused) {
  std::string log = "user,item,rating,when,hour,seen\n";
  for (int i = 0; i < 20; ++i) {
    log += "ann,1," + std::to_string(i % 5 + 1) + "," + std::to_string(i) + ",0,\n";
  }
  write("log.csv", log);
  write("items.csv", "item,tags,price\n1,a,10\n");
  const std::string found =
      message(config("", {"data.labels.seen=seen == 1", "data.missing_labels=absent"}));
  EXPECT_NE(found.find("data.labels.seen: no training row has it"), std::string::npos) << found;
}

TEST_F(DatasetTest, WeightsStayWithTheirRows) {
  write_example();
  // The example's column `hour` is the row's number in the file, and time falls with it.
  const Dataset dataset = build(config("", {"data.weight=hour"}));
  BatchMaker maker(dataset);
  RowBatch batch;
  const std::vector<std::int64_t> rows = {0, 3, 9, 12};
  maker.gather(rows, batch);
  EXPECT_EQ(batch.weights, (std::vector<float>{9, 6, 0, 7}));
  EXPECT_EQ(batch.sources[0].features[3].numbers, batch.weights);
  maker.gather(rows, batch);
  EXPECT_EQ(batch.weights.size(), rows.size());
  EXPECT_EQ(build(config()).weights.size(), 0U);
}

TEST_F(DatasetTest, WeightsThatAreNone) {
  write_example();
  const std::string head = "user,item,rating,when,hour\nann,1,5,3,1\nann,1,1,2,1\n";
  const std::vector<std::string> by_hour = {"data.weight=hour"};
  for (const auto& [value, what] : std::map<std::string, std::string>{{"-1", "negative"},
                                                                      {"", "missing"},
                                                                      {"inf", "hour"},
                                                                      {"1e60", "too large"},
                                                                      {"much", "hour"}}) {
    write("log.csv", head + "ann,2,5,1," + value + "\n");
    const std::string found = message(config("", by_hour));
    EXPECT_NE(found.find(what), std::string::npos) << found;
    EXPECT_NE(found.find("log.csv"), std::string::npos) << found;
    EXPECT_NE(found.find("hour"), std::string::npos) << found;
  }
  write("log.csv", "user,item,rating,when,hour\nann,1,5,3,0\nann,1,1,2,0\n");
  EXPECT_NE(message(config("", by_hour)).find("data.weight"), std::string::npos);
  EXPECT_NE(message(config("", {"data.weight=heavy"})).find("data.weight"), std::string::npos);
}

TEST_F(DatasetTest, SaysWhatCannotBeLearned) {
  write_example();
  EXPECT_NE(message(config("", {"data.task=usr"})).find("did you mean user"), std::string::npos);
  EXPECT_NE(message(config("", {"data.labels.like=rating >= 0"})).find("1 in every training row"),
            std::string::npos);
  EXPECT_NE(message(config("", {"features.price.column=prize"})).find("did you mean price"),
            std::string::npos);
  write("items.csv", "item,tags,price\n1,a,1\n1,b,2\n");
  EXPECT_NE(message(config()).find("row 2, column item: the key occurs twice"), std::string::npos);
  write("log.csv", "user,item,rating,when,hour\n");
  write("items.csv", "item,tags,price\n1,a,1\n");
  EXPECT_NE(message(config()).find("no usable row"), std::string::npos);
}

TEST_F(DatasetTest, FittedEncodersAreUsedUnchanged) {
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

TEST_F(DatasetTest, GrownDictionariesKeepTheirIndices) {
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
TEST_F(DatasetTest, PerfectHashesEncodeEveryRowAsWhenServed) {
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

TEST_F(DatasetTest, QuotientsAndRemaindersAreListsOfFourRowsAValue) {
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

TEST_F(DatasetTest, CollisionsAreThoseOfTrainingRows) {
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

TEST_F(DatasetTest, ACapKeepsTheMostFrequentValues) {
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

TEST_F(DatasetTest, SequencesHoldEarlierValuesOnly) {
  write_example();
  const Dataset dataset = build(config("  - {name: past, kind: sequence, of: item, length: 3}\n"));
  BatchMaker maker(dataset);
  RowBatch batch;
  const std::vector<std::int64_t> rows = {0, 2, 9, 10};
  maker.gather(rows, batch);
  const FeatureBatch& past = batch.sources[0].features[4];
  EXPECT_EQ(past.offsets, (std::vector<std::int64_t>{0, 0, 2, 5, 5}));
  const auto table = static_cast<std::size_t>(dataset.layout.features[4].table);
  const auto word = [&](std::size_t at) {
    const auto row = batch.table_rows[table][static_cast<std::size_t>(past.indices[at])];
    return dataset.encoders[0].vocabulary->text(static_cast<std::int32_t>(row));
  };
  // By time ann saw i = 9, 8, 7, ...: items 2, 1, 9, 3, 2, 1, 9, 3, 2, 1.
  EXPECT_EQ(word(0), "2");
  EXPECT_EQ(word(1), "1");
  EXPECT_EQ(word(2), "9");
  EXPECT_EQ(word(4), "2");
}

}  // namespace
}  // namespace limber
