#include "limber/core/data/dataset_builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "limber/core/data/dataset_case_for_test.h"
#include "limber/core/data/row_batch.h"

namespace limber {
namespace {

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
