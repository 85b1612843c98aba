#include "limber/companions/crossbar/report.h"

#include <gtest/gtest.h>

#include "limber/companions/crossbar/charts.h"
#include "limber/companions/crossbar/weights_for_test.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber::crossbar {
namespace {

CrossbarWeight named(std::string name, CrossbarWeight weight) {
  weight.name = std::move(name);
  return weight;
}

/// A dense layer of 256 x 256 of which a quarter is left in both directions, one that is gone, and
/// one that is as it was.
CrossbarReport example() {
  const std::vector<DenseLayer> before = {
      {"first", 256, 256, 4}, {"gone", 128, 64, 1}, {"last", 128, 128, 1}};
  CrossbarWeight first = full_weight(64, 64, 5);
  first.uses = 4;
  return compare(before, 8,
                 map_network({named("last", full_weight(128, 128, 8)), named("first", first)},
                             CrossbarOptions{}));
}

TEST(CrossbarReport, LayersBelongTogetherByName) {
  const CrossbarReport report = example();
  ASSERT_EQ(report.layers.size(), 3U);
  const ComparedLayer& first = report.layers[0];
  EXPECT_EQ(first.counts.before.crossbars, 2 * 8);
  EXPECT_EQ(first.counts.after.crossbars, 1);
  EXPECT_EQ(first.bits, 5);
  EXPECT_DOUBLE_EQ(first.counts.weight_compression(), 16);
  // Word lines: 16 x 128 to 64; bit lines: 16 x 128 to 128.
  EXPECT_DOUBLE_EQ(
      1 - first.counts.cost_after.energy.drivers / first.counts.cost_before.energy.drivers,
      1 - 64.0 / 2048);
  EXPECT_DOUBLE_EQ(
      first.counts.cost_before.energy.converters / first.counts.cost_after.energy.converters, 16);
  const ComparedLayer& gone = report.layers[1];
  EXPECT_EQ(gone.counts.before.crossbars, 2);
  EXPECT_EQ(gone.counts.after, CrossbarCounts{});
  EXPECT_EQ(gone.counts.area_reduction(), 1);
  EXPECT_EQ(gone.counts.weight_compression(), 0);
  const ComparedLayer& last = report.layers[2];
  EXPECT_EQ(last.counts.before, last.counts.after);
  EXPECT_EQ(last.counts.area_reduction(), 0);
  EXPECT_EQ(last.counts.power_reduction(), 0);
  EXPECT_EQ(report.total.before.crossbars, 16 + 2 + 4);
  EXPECT_EQ(report.total.after.crossbars, 1 + 4);
  EXPECT_NEAR(report.total.cost_after.area.sum(),
              first.counts.cost_after.area.sum() + last.counts.cost_after.area.sum(), 1e-12);
}

TEST(CrossbarReport, RefusesLayersThatDoNotBelongTogether) {
  const CrossbarMapping after = map_network({named("a", full_weight(2, 2, 4))}, CrossbarOptions{});
  EXPECT_THROW(compare({{"b", 2, 2, 1}}, 8, after), Error);
  EXPECT_THROW(compare({{"a", 2, 2, 1}, {"a", 2, 2, 1}}, 8, after), Error);
  const CrossbarMapping twice = map_network(
      {named("a", full_weight(2, 2, 4)), named("a", full_weight(2, 2, 4))}, CrossbarOptions{});
  EXPECT_THROW(compare({{"a", 2, 2, 1}}, 8, twice), Error);
}

TEST(CrossbarReport, JsonHoldsNumbersAndNothingElse) {
  CrossbarReport report = example();
  report.metric_name = "AUC";
  report.chips.exact = 0.8;
  report.chips.values = {0.7, 0.75, 0.72};
  summarise(report.chips);
  // Read again: what is not a number would come back as null.
  const nlohmann::json json = nlohmann::json::parse(to_json(report).dump());
  EXPECT_EQ(json.dump().find("null"), std::string::npos);
  EXPECT_EQ(json.at("layers").size(), 3U);
  EXPECT_EQ(json.at("layers").at(0).at("after").at("crossbars"), 1);
  EXPECT_DOUBLE_EQ(json.at("total").at("area_reduction"), report.total.area_reduction());
  EXPECT_DOUBLE_EQ(json.at("total").at("before").at("power_watts"),
                   1000 * report.total.cost_before.energy.sum());
  EXPECT_EQ(json.at("chips").at("values").size(), 3U);
  EXPECT_DOUBLE_EQ(json.at("chips").at("minimum"), 0.7);
  EXPECT_DOUBLE_EQ(json.at("published").at(0).at("power_reduction"), 0.9838);
  report.chips = {};
  EXPECT_FALSE(to_json(report).contains("chips"));
}

TEST(CrossbarReport, ThePageShowsNamesAndFiguresAndObeysNoMarkup) {
  CrossbarReport report = example();
  report.layers[0].name = "<script>alert(1)</script>";
  report.notes = {"a < b"};
  report.metric_name = "AU<C";
  const std::string without = render_crossbar_report(report);
  EXPECT_EQ(without.find("Chips drawn"), std::string::npos);
  report.chips.values = {0.7, 0.75, 0.72};
  summarise(report.chips);
  const std::string page = render_crossbar_report(report);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("a < b"), std::string::npos);
  EXPECT_EQ(page.find("AU<C"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
  EXPECT_EQ(page.find("inf "), std::string::npos);
  for (const char* text : {"&lt;script&gt;", "Chips drawn", "29.81x", "20.88x", "98.38 %",
                           "97.47 %", "3 weight matrices", "<td>16.00x</td>", "</html>"}) {
    EXPECT_NE(page.find(text), std::string::npos) << text;
  }
}

TEST(CrossbarReport, AnEmptyNetworkHasAReport) {
  const CrossbarReport report = compare({}, 8, map_network({}, CrossbarOptions{}));
  EXPECT_EQ(render_crossbar_report(report).find("nan"), std::string::npos);
  EXPECT_EQ(to_json(report).dump().find("null"), std::string::npos);
}

TEST(CrossbarReport, TheFileIsThePageOrAnError) {
  const TemporaryFolder folder;
  const CrossbarReport report = example();
  write_crossbar_report(folder.path() / "crossbar.html", report);
  EXPECT_EQ(read_file(folder.path() / "crossbar.html"), render_crossbar_report(report));
  EXPECT_THROW(write_crossbar_report(folder.path() / "missing" / "crossbar.html", report), Error);
}

int bars_of(const std::string& svg) {
  int bars = 0;
  for (std::size_t at = svg.find("class=\"bar\""); at != std::string::npos;
       at = svg.find("class=\"bar\"", at + 1)) {
    ++bars;
  }
  return bars;
}

TEST(QualityHistogram, CountsEveryChipOnce) {
  MonteCarloResult chips;
  chips.exact = 0.9;
  chips.values = {0.5, 0.5, 0.5};
  EXPECT_NE(quality_histogram(chips, "AUC").find("<title>3</title>"), std::string::npos);
  EXPECT_EQ(bars_of(quality_histogram(chips, "AUC")), 1);
  Random random(1);
  for (int i = 0; i < 97; ++i) chips.values.push_back(0.6 + 0.1 * random.uniform());
  const std::string svg = quality_histogram(chips, "AUC");
  EXPECT_EQ(bars_of(svg), 10);
  int sum = 0;
  for (std::size_t at = svg.find("<title>"); at != std::string::npos;
       at = svg.find("<title>", at + 1)) {
    sum += std::stoi(svg.substr(at + 7));
  }
  EXPECT_EQ(sum, 100);
}

}  // namespace
}  // namespace limber::crossbar
