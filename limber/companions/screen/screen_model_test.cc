#include "limber/companions/screen/screen_model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "limber/companions/screen/screen_report.h"
#include "limber/core/artifact/checksum.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber::screen {
namespace {

using nlohmann::json;

ScreenModel two_features() {
  ScreenModel model;
  model.classes = {"a", "b"};
  model.class_samples = {3, 3};
  model.intercepts = {0};
  model.priors = {0.5, 0.5};
  model.tuning = untuned({});
  model.names = {"f0", "f1"};
  model.centers = {0, 1};
  model.scales = {1, 2};
  model.weights = model.effects = model.zs = {2, 1};
  model.offsets = {0, 0};
  model.zeros = {0.1, 0.2};
  Estimate& estimate = model.estimate;
  estimate.prior = {.degrees = 4, .variance = 1};
  estimate.features = 2;
  estimate.histograms.emplace_back();
  estimate.histograms[0].add(1);
  estimate.histograms[0].add(2);
  estimate.mixtures.push_back(fit_mixture(estimate.histograms[0], {}));
  return model;
}

class ScreenModelFile : public testing::Test {
 protected:
  ScreenModelFile() {
    save_model(two_features(), path_);
    bytes_ = read_file(path_);
  }

  static constexpr std::size_t kDigits = 16;

  /// Writes `content` (all but the last two lines of digits) with a header and a good checksum.
  void sign(std::string content, const std::string& header) {
    content += header + fmt::format("{:016x}", header.size());
    content += checksum_of(std::as_bytes(std::span(content.data(), content.size())));
    write_file_atomic(path_, content);
  }

  std::size_t header_begin() const {
    const std::string size = bytes_.substr(bytes_.size() - 2 * kDigits, kDigits);
    return bytes_.size() - 2 * kDigits - std::stoull(size, nullptr, 16);
  }
  json header() const {
    return json::parse(bytes_.substr(header_begin(), bytes_.size() - 2 * kDigits - header_begin()));
  }

  void expect_refused(const char* pointer, const json& value) {
    json changed = header();
    changed[json::json_pointer(pointer)] = value;
    sign(bytes_.substr(0, header_begin()), changed.dump());
    EXPECT_THROW(load_model(path_), InputError) << pointer << " = " << value.dump().substr(0, 80);
  }

  /// Overwrites the first double of section `i`.
  void expect_refused(std::size_t i, double value) {
    std::string content = bytes_.substr(0, header_begin());
    std::memcpy(content.data() + header()["sections"][i][0].get<std::size_t>(), &value,
                sizeof value);
    sign(content, header().dump());
    EXPECT_THROW(load_model(path_), InputError) << "section " << i << ": " << value;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "model";
  std::string bytes_;
};

TEST_F(ScreenModelFile, ComesBackAsItWas) {
  EXPECT_EQ(load_model(path_).names, two_features().names);
  sign(bytes_.substr(0, header_begin()), header().dump());
  EXPECT_NE(render_screen_report(load_model(path_), {}, 10).find("<svg"), std::string::npos);
}

TEST_F(ScreenModelFile, SpoiltHeadersWithGoodChecksumsAreRefused) {
  const json bin = {1.0, 1};
  expect_refused("/estimate/histograms", {json::array()});
  expect_refused("/estimate/histograms", json(20000, json::array()));
  expect_refused("/estimate/histograms", json::array());
  expect_refused("/estimate/histograms/0", {{1.0, -1}, {2.0, 3}});
  expect_refused("/estimate/histograms/0", {{1.0, std::numeric_limits<std::int64_t>::max()}, bin});
  expect_refused("/estimate/histograms/0", json::array({bin}));
  expect_refused("/estimate/mixtures", json::array());
  expect_refused("/estimate/mixtures/0/null_sd", 0);
  expect_refused("/estimate/mixtures/0/slab_variance", -1);
  expect_refused("/estimate/mixtures/0/atoms/0/1", 2);
  expect_refused("/estimate/mixtures/0/atoms/0/3", -1);
  expect_refused("/estimate/prior_degrees", -1);
  expect_refused("/estimate/prior_degrees", 1e308);
  expect_refused("/estimate/prior_variance", 0);
  expect_refused("/estimate/features", -5);
  expect_refused("/estimate/constant", 3);
  expect_refused("/tuning/sharpness", 0);
  expect_refused("/tuning/sharpness", -1);
  expect_refused("/tuning/divisors", json::array({0.0}));
  expect_refused("/tuning/candidates", json::array());
  expect_refused("/intercepts", json::array({nullptr}));
  expect_refused("/priors", {0.5, -0.5});
  expect_refused("/class_samples", {3, -3});
  expect_refused("/fdr", 7);
  expect_refused("/classes", json(5000, "a"));
}

TEST_F(ScreenModelFile, SpoiltArraysWithGoodChecksumsAreRefused) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (std::size_t section = 2; section < 9; ++section) {
    expect_refused(section, kNaN);
    expect_refused(section, kInfinity);
  }
  expect_refused(3, 0);
  expect_refused(3, -1);
}

TEST_F(ScreenModelFile, NumbersThatAreNoneAreNotWrittenNorTwinsRead) {
  ScreenModel model = two_features();
  model.weights[1] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(save_model(model, path_), Error);
  model = two_features();
  model.names[1] = model.names[0];
  save_model(model, path_);
  EXPECT_THROW(load_model(path_), InputError);
}

}  // namespace
}  // namespace limber::screen
