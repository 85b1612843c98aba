#include "limber/core/data/check_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {

constexpr std::int64_t kRows = 20;

class CheckPartWeights : public testing::Test {
 protected:
  /// Three members of `kRows` rows each; `weigh` gets the member and the row within it.
  Dataset dataset(const std::function<float(std::size_t, std::int64_t)>& weigh,
                  bool by_member = false) {
    Dataset dataset;
    dataset.split_by_member = by_member;
    dataset.layout.labels = {"like"};
    for (std::size_t t = 0; t < 3; ++t) {
      const std::int64_t begin = dataset.rows, end = begin + kRows;
      TaskRows task{begin, end - 4, end - 2, end};
      if (by_member) task = {begin, t == 0 ? end : begin, t < 2 ? end : begin, end};
      dataset.tasks.push_back(task);
      dataset.rows = end;
    }
    dataset.weights = MappedFile::create(folder_.path() / "weights",
                                         static_cast<std::size_t>(dataset.rows) * sizeof(float));
    for (std::int64_t row = 0; row < dataset.rows; ++row) {
      dataset.weights.as<float>()[static_cast<std::size_t>(row)] =
          weigh(static_cast<std::size_t>(row / kRows), row % kRows);
    }
    return dataset;
  }

  static std::string refusal(const Dataset& dataset, Part part) {
    try {
      check_part_weights(dataset, part, 100);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
};

TEST_F(CheckPartWeights, OnlyThePartsOwnRowsCount) {
  for (const bool zero_validation : {false, true}) {
    for (const bool zero_test : {false, true}) {
      const Dataset data = dataset([&](std::size_t, std::int64_t row) {
        const bool zero = row >= 18 ? zero_test : row >= 16 && zero_validation;
        return zero ? 0.0F : 1.0F;
      });
      EXPECT_EQ(refusal(data, Part::validation).empty(), !zero_validation);
      EXPECT_EQ(refusal(data, Part::test).empty(), !zero_test);
    }
  }
}

TEST_F(CheckPartWeights, TheLineNamesOptionAndPart) {
  const Dataset data = dataset([](std::size_t, std::int64_t row) { return row < 16 ? 1.0F : 0; });
  const std::string validation = refusal(data, Part::validation), test = refusal(data, Part::test);
  EXPECT_EQ(validation.find("data.weight: the weight is 0 in every validation row"), 0U);
  EXPECT_NE(validation.find("data.validation_share"), std::string::npos);
  EXPECT_EQ(test.find("data.weight: the weight is 0 in every test row"), 0U);
  EXPECT_NE(test.find("data.test_share"), std::string::npos);
}

TEST_F(CheckPartWeights, OneRowThatWeighsIsEnough) {
  for (const std::size_t member : {0, 1, 2}) {
    const Dataset data = dataset([&](std::size_t t, std::int64_t row) {
      return t == member && row == 17 ? 1e-6F : row < 16 ? 1.0F : 0.0F;
    });
    EXPECT_EQ(refusal(data, Part::validation), "") << member;
    EXPECT_NE(refusal(data, Part::test), "") << member;
  }
}

TEST_F(CheckPartWeights, SplitByMembersLooksAtTheRowsThatAreScored) {
  // The support half of each member weighs, the half that is scored does not.
  const auto first_half = [](std::size_t, std::int64_t row) { return row < 10 ? 1.0F : 0.0F; };
  const Dataset data = dataset(first_half, true);
  EXPECT_NE(refusal(data, Part::validation), "");
  EXPECT_NE(refusal(data, Part::test), "");
  const auto second_half = [](std::size_t, std::int64_t row) { return row < 10 ? 0.0F : 1.0F; };
  EXPECT_EQ(refusal(dataset(second_half, true), Part::test), "");
}

TEST_F(CheckPartWeights, NoWeightsAndNoRowsAreAnotherMatter) {
  const auto none = [](std::size_t, std::int64_t) { return 0.0F; };
  Dataset data = dataset(none);
  for (TaskRows& task : data.tasks) task.validation_end = task.train_end;
  EXPECT_EQ(refusal(data, Part::validation), "");
  EXPECT_NE(refusal(data, Part::test), "");
  data.weights = MappedFile();
  EXPECT_EQ(refusal(data, Part::test), "");
}

}  // namespace
}  // namespace limber
