#include "limber/core/data/stored_dataset.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/data/dataset_case_for_test.h"
#include "limber/core/data/row_batch.h"

namespace limber {
namespace {

RowBatch all_rows(const Dataset& dataset) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < dataset.rows; ++row) rows.push_back(row);
  RowBatch batch;
  BatchMaker(dataset).gather(rows, batch);
  return batch;
}

void expect_same(const Dataset& first, const Dataset& second) {
  const RowBatch a = all_rows(first), b = all_rows(second);
  EXPECT_EQ(a.table_rows, b.table_rows);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.weights, b.weights);
  ASSERT_EQ(a.sources.size(), b.sources.size());
  for (std::size_t s = 0; s < a.sources.size(); ++s) {
    EXPECT_EQ(a.sources[s].rows, b.sources[s].rows);
    EXPECT_EQ(a.sources[s].positions, b.sources[s].positions);
    ASSERT_EQ(a.sources[s].features.size(), b.sources[s].features.size());
    for (std::size_t f = 0; f < a.sources[s].features.size(); ++f) {
      const FeatureBatch &x = a.sources[s].features[f], &y = b.sources[s].features[f];
      EXPECT_EQ(x.indices, y.indices) << f;
      EXPECT_EQ(x.offsets, y.offsets) << f;
      ASSERT_EQ(x.numbers.size(), y.numbers.size()) << f;
      for (std::size_t i = 0; i < x.numbers.size(); ++i) {
        const bool both_missing = std::isnan(x.numbers[i]) && std::isnan(y.numbers[i]);
        EXPECT_TRUE(both_missing || x.numbers[i] == y.numbers[i]) << f;
      }
    }
  }
  ASSERT_EQ(first.tasks.size(), second.tasks.size());
  for (std::size_t t = 0; t < first.tasks.size(); ++t) {
    EXPECT_EQ(first.tasks[t].begin, second.tasks[t].begin);
    EXPECT_EQ(first.tasks[t].train_end, second.tasks[t].train_end);
    EXPECT_EQ(first.tasks[t].validation_end, second.tasks[t].validation_end);
    EXPECT_EQ(first.tasks[t].end, second.tasks[t].end);
    EXPECT_EQ(first.task_keys.text(static_cast<std::int32_t>(t + 1)),
              second.task_keys.text(static_cast<std::int32_t>(t + 1)));
  }
  EXPECT_EQ(to_json(first.layout.label_thresholds), to_json(second.layout.label_thresholds));
  EXPECT_EQ(first.layout.labels, second.layout.labels);
  EXPECT_EQ(first.split, second.split);
  EXPECT_EQ(first.split_by_member, second.split_by_member);
  EXPECT_EQ(first.bad_rows, second.bad_rows);
  EXPECT_EQ(first.first_time, second.first_time);
  EXPECT_EQ(first.last_time, second.last_time);
  EXPECT_EQ(first.ordered_by_time(), second.ordered_by_time());
  for (std::size_t f = 0; f < first.encoders.size(); ++f) {
    EXPECT_EQ(first.encoders[f].to_json(), second.encoders[f].to_json());
    EXPECT_EQ(first.encoders[f].table_rows(), second.encoders[f].table_rows());
  }
}

class StoredDatasetTest : public DatasetTest,
                          public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(StoredDatasetTest, IsTheOneThatWasBuilt) {
  write_example();
  const Config given = config("", GetParam());
  const auto folder = folder_.path() / "columns";
  std::filesystem::create_directories(folder);
  const Dataset built = build_dataset(given, folder);
  store_dataset(built, folder);
  expect_same(built, open_stored_dataset(folder));
  // Once more: another training in the same folder.
  store_dataset(built, folder);
  expect_same(built, open_stored_dataset(folder));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, StoredDatasetTest,
    testing::Values(std::vector<std::string>{},
                    std::vector<std::string>{"data.split=members", "features.item.vocabulary=hash",
                                             "features.item.hash_size=7"},
                    std::vector<std::string>{"data.time=", "data.weight=rating",
                                             "features.price.transform=bucketize"}));

TEST_F(DatasetTest, AStoredOneThatIsMissingOrDamagedIsNamed) {
  write_example();
  const auto folder = folder_.path() / "columns";
  std::filesystem::create_directories(folder);
  EXPECT_THROW(open_stored_dataset(folder), InputError);
  store_dataset(build_dataset(config(), folder), folder);
  std::filesystem::remove(folder / "labels");
  EXPECT_THROW(open_stored_dataset(folder), InputError);
  store_dataset(build_dataset(config(), folder), folder);
  std::ofstream(folder / "stored" / "000001" / "tasks", std::ios::app) << "more";
  EXPECT_THROW(open_stored_dataset(folder), InputError);
}

}  // namespace
}  // namespace limber
