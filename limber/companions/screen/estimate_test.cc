#include "limber/companions/screen/estimate.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "limber/core/base/random.h"

namespace limber::screen {
namespace {

/// Records of `features` of which every tenth differs between two classes of ten samples each.
std::vector<double> records_of_two_classes(int features) {
  Random random(3);
  std::vector<double> records;
  std::vector<std::string> labels;
  for (int i = 0; i < 20; ++i) labels.emplace_back(i % 2 ? "b" : "a");
  const Classes classes = classes_of(labels, "here");
  std::vector<double> record(record_size(2));
  for (int j = 0; j < features; ++j) {
    std::vector<double> values;
    for (int i = 0; i < 20; ++i) values.push_back(random.normal() + (j % 10 ? 0 : 2 * (i % 2)));
    summarise(values, classes, {}, record);
    records.insert(records.end(), record.begin(), record.end());
  }
  return records;
}

TEST(Estimate, WarnsOnceOfMixturesThatDidNotConverge) {
  const auto before = spdlog::default_logger();
  std::ostringstream said;
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said)));
  const std::vector<double> records = records_of_two_classes(500);
  const RecordTable table{.parts = {records}, .width = record_size(2)};
  EstimateOptions options;
  EXPECT_TRUE(estimate(table, options, "here").mixtures[0].converged);
  EXPECT_EQ(said.str(), "");
  options.mixture.max_passes = 3;
  EXPECT_FALSE(estimate(table, options, "here").mixtures[0].converged);
  EXPECT_FALSE(estimate(table, options, "here").mixtures[0].converged);
  spdlog::set_default_logger(before);
  const std::string text = said.str();
  const auto first = text.find("still rose at its last pass");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("still rose", first + 1), std::string::npos) << text;
}

TEST(Estimate, IsTheSameForAnyPartsAndThreads) {
  const std::vector<double> records = records_of_two_classes(999);
  const std::size_t width = record_size(2);
  const std::span<const double> all(records);
  const Estimate one = estimate({.parts = {all}, .width = width}, {}, "here");
  EstimateOptions threads;
  threads.threads = 3;
  const std::size_t cut = 100 * width;
  const Estimate other =
      estimate({.parts = {all.subspan(cut), all.first(cut)}, .width = width}, threads, "here");
  EXPECT_EQ(one.histograms, other.histograms);
  EXPECT_EQ(one.prior.degrees, other.prior.degrees);
  EXPECT_EQ(one.mixtures[0].bound, other.mixtures[0].bound);
  EXPECT_EQ(one.usable(), 999);
}

}  // namespace
}  // namespace limber::screen
