#include "limber/core/data/stored_dataset.h"

#include <gtest/gtest.h>

#include "limber/core/data/dataset_case_for_test.h"
#include "limber/core/data/same_dataset_for_test.h"

namespace limber {
namespace {

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
