#include "limber/core/data/label_thresholds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

/// By its definition: the least value that at least the share does not exceed.
double percentile_by_search(const std::vector<double>& values, std::int64_t percentile) {
  double least = *std::ranges::max_element(values);
  for (const double candidate : values) {
    const auto not_above = std::ranges::count_if(values, [&](double v) { return v <= candidate; });
    const bool enough =
        not_above * 1000000 >= static_cast<std::int64_t>(values.size()) * percentile;
    if (enough) least = std::min(least, candidate);
  }
  return least;
}

TEST(LabelThresholds, APercentileIsTheNearestRank) {
  std::vector<double> ten = {7, 3, 10, 1, 9, 2, 8, 4, 6, 5};
  EXPECT_EQ(percentile_of(ten, 900000), 9);
  EXPECT_EQ(percentile_of(ten, 900001), 10);
  EXPECT_EQ(percentile_of(ten, 500000), 5);
  EXPECT_EQ(percentile_of(ten, 1), 1);
  std::vector<double> one = {4};
  EXPECT_EQ(percentile_of(one, 10000), 4);
  EXPECT_EQ(percentile_of(one, 999999), 4);
}

TEST(LabelThresholds, APercentileIsAsBruteForceFindsIt) {
  Random random(4);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> values(1 + random.below(250));
    // Few different values, so that many are the same.
    const std::uint64_t different = 1 + random.below(40);
    for (double& value : values) value = 0.1 * static_cast<double>(random.below(different));
    const auto percentile = static_cast<std::int64_t>(1 + random.below(999999));
    const double expected = percentile_by_search(values, percentile);
    EXPECT_EQ(percentile_of(values, percentile), expected) << values.size() << ' ' << percentile;
  }
}

std::string name_of(const std::vector<std::optional<Key>>& values) {
  ClusterName name;
  name.clear();
  for (const auto& value : values) value ? name.add(*value) : name.add_missing();
  return name.close();
}

TEST(LabelThresholds, NamesTellClustersApart) {
  const Key feed{false, 0, "feed"}, three{true, 3, {}}, word{false, 0, "3"}, empty{false, 0, ""};
  EXPECT_EQ(name_of({feed, three, std::nullopt}), R"(["feed",3,null])");
  EXPECT_EQ(name_of({}), "[]");
  EXPECT_NE(name_of({three}), name_of({word}));
  EXPECT_NE(name_of({empty}), name_of({std::nullopt}));
  const Key comma{false, 0, "a\",\"b"}, a{false, 0, "a"}, b{false, 0, "b"};
  EXPECT_NE(name_of({comma}), name_of({a, b}));
  for (const char* text : {"\xc3\xa9t\xc3\xa9", "a\\b", "line\nbreak", "\x7f", "\xff\xfe"}) {
    const std::string name = name_of({Key{false, 0, text}});
    EXPECT_EQ(nlohmann::json::parse(name).dump(), name);
  }
}

TEST(LabelThresholds, ComeBackFromTheManifest) {
  LabelThresholds thresholds;
  ClusterThresholds& measured = thresholds["long"];
  measured.percentile = 995000;
  measured.by = {"surface", "position"};
  measured.all = {0.1 + 0.2, 4000};
  measured.clusters[name_of({Key{false, 0,
                                 "d\xc3\xa9"
                                 "cor"},
                             Key{true, -3, {}}})] = {1.0 / 3, 120};
  measured.clusters[name_of({std::nullopt, Key{false, 0, "3"}})] = {17, 100};
  const nlohmann::json layout =
      nlohmann::json::parse(nlohmann::json{{"label_thresholds", to_json(thresholds)}}.dump());
  const LabelThresholds back = label_thresholds_of(layout);
  ASSERT_EQ(back.size(), 1U);
  const ClusterThresholds& same = back.at("long");
  EXPECT_EQ(same.percentile, measured.percentile);
  EXPECT_EQ(same.by, measured.by);
  EXPECT_EQ(same.all.value, measured.all.value);
  EXPECT_EQ(same.all.rows, 4000);
  ASSERT_EQ(same.clusters.size(), 2U);
  for (const auto& [name, threshold] : measured.clusters) {
    EXPECT_EQ(same.of(name), threshold.value) << name;
  }
  EXPECT_EQ(same.of("[\"search\",1]"), measured.all.value);
  EXPECT_TRUE(label_thresholds_of(nlohmann::json::object()).empty());
  EXPECT_THROW(label_thresholds_of({{"label_thresholds", {{"long", 3}}}}),
               nlohmann::json::exception);
}

TEST(LabelThresholds, BelongToTheExpressionThatTheyWereMeasuredFor) {
  LabelThresholds thresholds;
  thresholds["long"].percentile = 900000;
  thresholds["long"].by = {"surface"};
  const auto find = [&](const char* label, const char* expression) {
    return &thresholds_of(thresholds, label, LabelExpression(label, expression));
  };
  EXPECT_EQ(find("long", "dwell > p90 by surface"), &thresholds["long"]);
  EXPECT_THROW(find("long", "dwell > p91 by surface"), InputError);
  EXPECT_THROW(find("long", "dwell > p90"), InputError);
  EXPECT_THROW(find("short", "dwell > p90 by surface"), InputError);
  try {
    find("long", "dwell > p99.5");
  } catch (const InputError& error) {
    const std::string message = error.what();
    for (const char* part : {"data.labels.long", "p99.5 ", "p90 by surface", "train it anew"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace limber
