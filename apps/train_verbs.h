#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "limber/training/train/scoring.h"

namespace limber {

struct TrainArguments {
  std::string config;
  std::vector<std::string> settings;
  std::string models = "models";
  std::string from;  ///< published model to go on from, "" = none
  bool restart = false;
  std::string metrics;          ///< file for the test metrics as JSON, "" = none
  std::string scores;           ///< file for the scored test rows, "" = none
  std::size_t resamples = 200;  ///< of the bootstrap
  bool no_support_sizes = false;
};
int run_train(const TrainArguments& arguments);

struct EvaluateArguments {
  std::string model;
  std::vector<std::string> settings;
  std::string report = "report.html";
  std::string metrics;
  std::string scores;  ///< file for the scored test rows, "" = none
  std::size_t resamples = 200;
};
int run_evaluate(const EvaluateArguments& arguments);

struct ReportArguments {
  std::vector<std::string> models;  ///< "FILE.json" or "NAME=FILE.json", as --metrics wrote them
  std::string from;                 ///< a whole report as JSON instead, "" = none
  std::string baseline;             ///< model that the others are compared with, "" = the first
  std::string output = "comparison.html";
  std::string title = "Comparison of models";
  std::size_t resamples = 200;
};
int run_report(const ReportArguments& arguments);

struct ExportArguments {
  std::string config;
  std::vector<std::string> settings;
  std::string output;       ///< folder
  std::int64_t epochs = 3;  ///< of training episodes
  std::string item;  ///< id feature whose rates the support's residual is against, "" = guess
};
int run_export(const ExportArguments& arguments);

struct CompressArguments {
  std::string model;  ///< models/NAME or models/NAME/VERSION; or a network's config, .yaml or .yml
  std::vector<std::string> settings;
  std::string models;  ///< folder of the published models, "" = where the model lies
  bool restart = false;
  bool list = false;            ///< only print the weights that can be compressed
  std::string metrics;          ///< file for the metrics as JSON, "" = none
  std::string scores;           ///< file for the scored test rows, "" = none
  std::string report;           ///< networks: HTML report on their crossbars, "" = none
  std::size_t resamples = 200;  ///< of the bootstrap
};
int run_compress(const CompressArguments& arguments);
/// The same for a network of convolutions.
int run_compress_network(const CompressArguments& arguments);

/// Supports are cut to these sizes for the curve over the support size.
inline constexpr std::array<std::int64_t, 8> support_sizes{0, 1, 2, 5, 10, 20, 50, 100};

/// The test part, scored and summed up: metrics with intervals, slices by support size and
/// activity, the curve over truncated supports.
struct TestReport {
  nlohmann::json json;
  ScoredRows scored;
};
/// The test rows' scores, under whole supports and under shorter ones. Collective where processes
/// hold the model together.
struct TestScores {
  ScoredRows whole;
  std::vector<std::pair<std::int64_t, ScoredRows>> cut;  ///< by most support rows
};
TestScores score_test(const Config& config, const Dataset& dataset, RankingModel& model,
                      const Popularity* popularity = nullptr, bool by_support_size = true);
TestReport report_scores(const Config& config, const Dataset& dataset, TestScores scores,
                         std::size_t resamples);
/// Both.
TestReport report_test(const Config& config, const Dataset& dataset, RankingModel& model,
                       std::size_t resamples, const Popularity* popularity = nullptr,
                       bool by_support_size = true);
void print_test_report(const nlohmann::json& report);

/// "3 rows left out (data.on_bad_row: skip)".
std::string left_out(const Dataset& dataset);

}  // namespace limber
