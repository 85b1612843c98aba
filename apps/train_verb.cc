#include <spdlog/spdlog.h>

#include <sstream>

#include "apps/scores_file.h"
#include "apps/train_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/check_weights.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/trainer.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// Validation metrics of the kept weights, from the log: the best epoch may have been trained by a
/// process before this one.
nlohmann::json validation_of(const fs::path& log, std::int64_t best_epoch) {
  std::istringstream lines(read_file(log));
  nlohmann::json found;
  for (std::string text; std::getline(lines, text);) {
    const auto line = nlohmann::json::parse(text, nullptr, false);
    if (!line.is_object() || line.value("epoch", std::int64_t{0}) != best_epoch) continue;
    found = {{"log_loss", line.at("validation_log_loss")},
             {"auc", line.at("validation_auc")},
             {"gauc", line.at("validation_gauc")}};
  }
  return found;
}

}  // namespace

int run_train(const TrainArguments& arguments) {
  check_output_file("--metrics", arguments.metrics);
  check_output_file("--scores", arguments.scores);
  const Config config = load_config(arguments.config, arguments.settings);
  if (config.train.threads > 0) torch::set_num_threads(static_cast<int>(config.train.threads));
  const torch::Device device = choose_device(config.train.device);

  const fs::path run_folder = fs::path(arguments.models) / config.name / ".training";
  const fs::path data_folder =
      config.data.cache.empty() ? run_folder / "data" : fs::path(config.data.cache);
  check_output_folder("--models", run_folder);
  if (!config.data.cache.empty()) check_output_folder("data.cache", data_folder);
  fs::create_directories(data_folder);
  const Stopwatch reading;
  const Dataset dataset = build_dataset(config, data_folder);
  for (const Part part : {Part::validation, Part::test}) {
    check_part_weights(dataset, part, config.meta.support);
  }
  spdlog::info("{} of {} read in {:.1f} s ({} left out), split: {}", counted(dataset.rows, "row"),
               counted(dataset.tasks.size(), "member"), reading.seconds(), dataset.bad_rows,
               dataset.split);

  RankingModel model = make_model(config, dataset, device);
  Trainer trainer(config, dataset, model, run_folder, arguments.restart);
  const TrainingSummary summary = trainer.run();
  if (summary.stopped) {
    spdlog::warn("stopped after step {}; the same command goes on from there", summary.steps);
    return 130;
  }
  spdlog::info("best epoch {} of {}; {:.0f} examples/s", summary.best_epoch, summary.epochs,
               summary.seconds > 0 ? static_cast<double>(summary.examples) / summary.seconds : 0.0);

  TestReport report = report_test(config, dataset, model, arguments.resamples);
  report.json["training"] = {
      {"best_epoch", summary.best_epoch},
      {"epochs", summary.epochs},
      {"seconds", summary.seconds},
      {"examples_per_second",
       summary.seconds > 0 ? static_cast<double>(summary.examples) / summary.seconds : 0.0}};
  report.json["validation"] = validation_of(run_folder / "log.jsonl", summary.best_epoch);
  const fs::path version = publish_model(arguments.models, config, dataset, model, report.json,
                                         run_folder / "log.jsonl");
  // The published log and metrics stand for the run from here on.
  std::error_code ignored;
  fs::remove(trainer.checkpoint_path(), ignored);
  if (config.data.cache.empty()) fs::remove_all(data_folder, ignored);
  print_test_report(report.json);
  fmt::print("published {}\n", version.string());
  if (!arguments.metrics.empty()) write_file_atomic(arguments.metrics, report.json.dump(2) + "\n");
  if (!arguments.scores.empty()) write_scores(arguments.scores, dataset, report.scored);
  return 0;
}

}  // namespace limber
