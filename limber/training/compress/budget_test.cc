#include "limber/training/compress/budget.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/base/error.h"

namespace limber {
namespace {

/// 10 inputs -> 8 units -> 6 units -> 2 outputs, with a gate on the first layer's units.
std::vector<CompressibleWeight> tiny_network() {
  const auto weight = [](std::string name, std::int64_t inputs, std::int64_t outputs, bool hidden,
                         std::vector<UnitReader> readers) {
    CompressibleWeight made;
    made.name = std::move(name);
    made.matrix = torch::zeros({inputs, outputs});
    if (hidden) made.bias = torch::zeros({outputs});
    made.hidden = made.removable = hidden;
    made.readers = std::move(readers);
    return made;
  };
  return {weight("first", 10, 8, true, {{"gate"}, {"gate", false}, {"second"}}),
          weight("gate", 8, 8, false, {}), weight("second", 8, 6, true, {{"head"}}),
          weight("head", 6, 2, false, {})};
}

std::int64_t left_of(std::int64_t first, std::int64_t second) {
  return 10 * first + first * first + first * second + second * 2;
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Budget, RemovingAUnitRemovesWhatReadsIt) {
  const Budget budget(tiny_network(), {});
  EXPECT_EQ(budget.elements(), left_of(8, 6));
  EXPECT_EQ(budget.most_left(1), left_of(8, 6));
  EXPECT_EQ(budget.most_left(0.5), left_of(4, 3));
  EXPECT_EQ(budget.most_left(0), left_of(1, 1));
  EXPECT_EQ(elements_without_units(tiny_network(), {3, 0, 2, 0}),
            (std::vector<std::int64_t>{50, 25, 20, 8}));
}

/// Two experts that share one list of widths.
std::vector<CompressibleWeight> tied_network() {
  auto weights = tiny_network();
  weights[0].readers = {};
  weights[2].readers = {};
  weights[0].tied = weights[2].tied = "experts";
  weights[2].matrix = torch::zeros({10, 8});
  weights[2].bias = torch::zeros({8});
  return weights;
}

TEST(Budget, TheWidestOfTiedWeightsDecides) {
  EXPECT_EQ(elements_without_units(tied_network(), {3, 0, 5, 0}),
            (std::vector<std::int64_t>{50, 64, 50, 12}));
  CompressOptions options;
  options.keep_of["first"] = 0.75;
  options.target_ratio = 1.1;
  const Budget budget(tied_network(), options);
  EXPECT_EQ(budget.most_left(0.25), 60 + 64 + 60 + 12);
  EXPECT_NE(message_of([&] { budget.share_for(1.5); }).find("1.204 times fewer is the most"),
            std::string::npos)
      << message_of([&] { budget.share_for(1.5); });
  options = {};
  options.layers = {"first"};
  options.keep = 0.5;
  EXPECT_NE(message_of([&] { Budget(tied_network(), options); }).find("takes nothing away"),
            std::string::npos);
}

TEST(Budget, HiddenWeightsWhoseUnitsStayAreStillRounded) {
  auto weights = tiny_network();
  weights[2].removable = false;
  CompressOptions options;
  options.keep = 0.5;
  options.bits = 4;
  const Budget budget(weights, options);
  EXPECT_EQ(budget.selected(), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(budget.shares(0.5), (std::vector<double>{0.5, 1, 1, 1}));
  options.keep_of["second"] = 0.5;
  EXPECT_NE(message_of([&] { Budget(weights, options); }).find("cannot be removed"),
            std::string::npos);
}

TEST(Budget, SharesThatTakeNothingAway) {
  CompressOptions options;
  options.keep = 0.99;
  EXPECT_NE(message_of([&] { Budget(tiny_network(), options); }).find("takes nothing away"),
            std::string::npos);
  options.keep = 0;
  EXPECT_EQ(message_of([&] { Budget(tiny_network(), options); }),
            "compress.keep: nothing would stay; use more than 0");
  options.keep = 1;
  options.keep_of["first"] = 0;
  EXPECT_EQ(message_of([&] { Budget(tiny_network(), options); }),
            "compress.keep_of: first would keep nothing; use more than 0");
}

TEST(Budget, LinesOfAReaderCountForEachUnit) {
  auto weights = tiny_network();
  weights[3].matrix = torch::zeros({6 * 4, 2});
  weights[2].readers = {{"head", true, 4}};
  const auto left = elements_without_units(weights, {0, 0, 5, 0});
  EXPECT_EQ(left[3], 4 * 2);
}

TEST(Budget, TargetIsMetByTheLargestShare) {
  const Budget budget(tiny_network(), {});
  for (const double ratio : {1.0, 1.5, 2.0, 3.7, 8.0, 12.0}) {
    const double share = budget.share_for(ratio);
    const auto before = static_cast<double>(budget.elements());
    EXPECT_LE(static_cast<double>(budget.most_left(share)), before / ratio) << ratio;
    // One more unit anywhere would be too much, or all are kept.
    if (share < 1) {
      EXPECT_GT(static_cast<double>(budget.most_left(share + 1e-6)), before / ratio) << ratio;
    }
  }
}

TEST(Budget, OwnSharesStay) {
  CompressOptions options;
  options.keep_of["second"] = 0.5;
  const Budget budget(tiny_network(), options);
  EXPECT_EQ(budget.most_left(1), left_of(8, 3));
  EXPECT_EQ(budget.shares(0.25), (std::vector<double>{0.25, 1, 0.5, 1}));
  EXPECT_EQ(budget.most_left(0.25), left_of(2, 3));
}

TEST(Budget, LinesAndTilesLeaveTheOtherWeightsAsTheyAre) {
  CompressOptions options;
  options.structure = "blocks";
  options.block = {4, 4};
  const Budget budget(tiny_network(), options);
  // first: 6 tiles, the largest of 16; second: 4 tiles, the largest of 16.
  EXPECT_EQ(budget.most_left(0), 16 + 64 + 16 + 12);
  options.structure = "rows";
  // Each tile keeps a row: first has 6 tiles of 4 columns, second 2 of 4 and 2 of 2.
  EXPECT_EQ(Budget(tiny_network(), options).most_left(0), 24 + 64 + 12 + 12);
}

TEST(Budget, ImpossibleTargetsNameTheLayer) {
  const Budget budget(tiny_network(), {});
  EXPECT_EQ(message_of([&] { budget.share_for(100); }),
            "compress.target_ratio: 100 times fewer weights cannot be met: first keeps at least 1 "
            "of 8 units, 10 weights; 14.57 times fewer is the most");
  CompressOptions options;
  options.layers = {"second"};
  EXPECT_NE(message_of([&] {
              Budget(tiny_network(), options).share_for(5);
            }).find("first is not among compress.layers: 80 weights"),
            std::string::npos);
}

TEST(Budget, NamesThatAreNoWeights) {
  CompressOptions options;
  options.layers = {"secnd"};
  EXPECT_EQ(message_of([&] { Budget(tiny_network(), options); }),
            "compress.layers: no weight is called secnd; did you mean second?");
  auto nested = tiny_network();
  nested[2].name = "block.second";
  options.layers = {"second"};
  EXPECT_EQ(message_of([&] { Budget(nested, options); }),
            "compress.layers: no weight is called second; did you mean block.second?");
  options.layers = {"head"};
  options.keep = 0.5;
  EXPECT_EQ(message_of([&] { Budget(tiny_network(), options); }),
            "compress.layers: the units of head cannot be removed; choose another "
            "compress.structure");
  // To round it is another matter.
  options.keep = 1;
  EXPECT_EQ(Budget(tiny_network(), options).selected(), (std::vector<std::size_t>{3}));
  options.layers = {};
  options.keep_of["gate"] = 0.5;
  EXPECT_NE(message_of([&] { Budget(tiny_network(), options); }).find("gate is not among"),
            std::string::npos);
}

}  // namespace
}  // namespace limber
