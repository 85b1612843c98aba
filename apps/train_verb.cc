#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>

#include "apps/scores_file.h"
#include "apps/train_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/folder_lock.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/check_labels.h"
#include "limber/core/data/check_weights.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/training/distributed/nccl_backend.h"
#include "limber/training/train/checkpoint_parts.h"
#include "limber/training/train/incremental.h"
#include "limber/training/train/last_layer_posterior.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/shared_dataset.h"
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

/// "new ids: item 12, tags 3".
std::string grown_ids(const Line& line, const Dataset& dataset) {
  std::string text;
  for (const auto& [feature, count] : new_ids(line, dataset)) {
    text += fmt::format("{}{} {}", text.empty() ? "new ids: " : ", ", feature, count);
  }
  return text.empty() ? "no new ids" : text;
}

/// Training that goes on from a published model: where from, and what its hold is.
Trainer::Start start_from(const Line& line, const Config& config, const Dataset& dataset,
                          const RankingModel& model) {
  Trainer::Start start;
  start.origin =
      fmt::format("{}, begun with {}", line.latest.id, line.cold ? line.cold->id : line.cold_label);
  start.hold = make_hold(line, config, dataset, model);
  return start;
}

/// What the published model's weights are held by when training goes on from it.
std::optional<Fisher> look_at_rows(const Config& config, const Dataset& dataset,
                                   RankingModel& model, const Hold& hold) {
  const Stopwatch looking;
  std::optional<Fisher> fisher =
      empirical_fisher(model, dataset, config, config.train.incremental.fisher_rows);
  if (!fisher) return fisher;
  add_earlier(*fisher, hold, config, model);
  spdlog::info("Fisher information from {} in {:.1f} s", counted(fisher->rows, "row"),
               looking.seconds());
  return fisher;
}

/// Whether this is the process that writes what comes out, before the others are met.
bool may_write() {
  const char* rank = std::getenv("RANK");
  return ProcessGroup::world_size() == 1 || rank == nullptr || std::string_view(rank) == "0";
}

/// The processes that torchrun or its like started beside this one; null where there are none.
/// Throws InputError for what several processes cannot do.
std::shared_ptr<ProcessGroup> meet(const Config& config, const TrainArguments& arguments) {
  const std::int64_t size = ProcessGroup::world_size();
  if (size == 1) return nullptr;
  const auto refuse = [&](const std::string& what) {
    throw InputError("{}, and WORLD_SIZE is {}; run limber train without torchrun", what, size);
  };
  if (!arguments.from.empty()) refuse("--from: one process alone can go on from a model");
  if (config.train.incremental.fisher_rows > 0) {
    refuse("train.incremental.fisher_rows: one process alone can measure Fisher information");
  }
  const bool on_cards = config.train.device == "cuda";
  if (on_cards && !has_nccl()) {
    refuse("train.device: cuda: this Limber was built without LIMBER_NCCL (docs/distributed.md)");
  }
  if (on_cards) choose_device(config.train.device);
  std::shared_ptr<ProcessGroup> ranks = ProcessGroup::from_environment();
  if (on_cards) ranks->use_cards();
  if (!ranks->is_first()) {
    // What all would say, one says.
    spdlog::set_level(spdlog::level::err);
    Progress::set_quiet(true);
  }
  spdlog::info("training on {} processes", ranks->size());
  // Several on a machine divide its processors, where nobody says otherwise.
  if (config.train.threads == 0 && std::getenv("OMP_NUM_THREADS") == nullptr) {
    torch::set_num_threads(std::max(1, torch::get_num_threads() / ranks->size_of_host()));
  }
  return ranks;
}

/// Of several processes on a machine each takes a card of its own; without a word for cards they
/// train on the CPU.
torch::Device device_for(const std::string& device, const ProcessGroup* ranks) {
  if (ranks == nullptr) return choose_device(device);
  if (device != "cuda") return torch::kCPU;
  const auto cards = static_cast<int>(torch::cuda::device_count());
  // Slurm and the like may show each process a card of its own alone.
  if (cards == 1) return {torch::kCUDA, 0};
  if (ranks->size_of_host() > cards) {
    throw InputError("train.device: cuda: {} processes on this machine, and {} graphics cards",
                     ranks->size_of_host(), cards);
  }
  return {torch::kCUDA, static_cast<torch::DeviceIndex>(ranks->place_on_host())};
}

std::vector<std::pair<const char*, double>> phases(const StepSeconds& spent) {
  return {{"forward_backward", spent.forward_backward},
          {"rows", spent.rows},
          {"gradients", spent.gradients},
          {"agreement", spent.agreement},
          {"batches", spent.batches},
          {"update", spent.update}};
}

nlohmann::json to_json(const StepSeconds& spent) {
  nlohmann::json json;
  for (const auto& [name, seconds] : phases(spent)) json[name] = seconds;
  return json;
}

/// "forward_backward 71 %, rows 12 %, ...": of this process's steps.
std::string words_of(const StepSeconds& spent) {
  double all = 0;
  for (const auto& [name, seconds] : phases(spent)) all += seconds;
  std::string words;
  for (const auto& [name, seconds] : phases(spent)) {
    words += fmt::format("{}{} {:.0f} %", words.empty() ? "" : ", ", name,
                         all > 0 ? 100 * seconds / all : 0.0);
  }
  return words;
}

}  // namespace

int run_train(const TrainArguments& arguments) {
  if (may_write()) {
    check_output_file("--metrics", arguments.metrics);
    check_output_file("--scores", arguments.scores);
  }
  const Config config = load_config(arguments.config, arguments.settings);
  const std::shared_ptr<ProcessGroup> ranks = meet(config, arguments);
  const bool first = !ranks || ranks->is_first();
  if (config.train.threads > 0) torch::set_num_threads(static_cast<int>(config.train.threads));
  const torch::Device device = device_for(config.train.device, ranks.get());

  std::optional<Line> line;
  if (!arguments.from.empty()) line = open_line(arguments.from, arguments.models, config);

  const fs::path run_folder = fs::path(arguments.models) / config.name / ".training";
  const fs::path data_folder =
      config.data.cache.empty() ? run_folder / "data" : fs::path(config.data.cache);
  std::optional<FolderLock> lock;
  if (first) {
    check_output_folder("--models", run_folder);
    lock.emplace(run_folder);
    if (!config.data.cache.empty()) check_output_folder("data.cache", data_folder);
  }
  fs::create_directories(data_folder);
  const Stopwatch reading;
  const Dataset dataset =
      line ? build_dataset(config, data_folder, &line->latest.loaded.encoders, nullptr, Fit::grown)
      : ranks ? build_shared_dataset(config, data_folder, *ranks)
              : build_dataset(config, data_folder);
  for (const Part part : {Part::validation, Part::test}) {
    check_part_weights(dataset, part, config.meta.support);
  }
  spdlog::info("{} of {} read in {:.1f} s ({} left out), split: {}", counted(dataset.rows, "row"),
               counted(dataset.tasks.size(), "member"), reading.seconds(), dataset.bad_rows,
               dataset.split);

  if (dataset.layout.labels.size() > 1 && config.model.score.empty()) {
    spdlog::info(
        "candidates will be ranked by {}, the first label by name; model.score says otherwise",
        dataset.layout.labels[0]);
  }
  if (line && config.train.incremental.fisher_rows == 0) {
    spdlog::info(
        "without train.incremental.fisher_rows no training with a hold can go on from what this "
        "one "
        "publishes");
  }
  if (line) {
    for (const std::string& words : one_sided_labels(dataset)) {
      spdlog::warn("{}: what is known of it hardly changes", words);
    }
  }
  if (!dataset.ordered_by_time() && config.model.history.enabled &&
      config.model.history.pooling == "transformer") {
    spdlog::warn(
        "model.history.pooling: transformer reads a member's rows in their order, and these are in "
        "a random one ({}); a server reads them in the order of arrival",
        config.data.time.empty() ? "no data.time" : "data.split: random");
  }

  RankingModel model = line ? grow_model(*line, config, dataset, device)
                            : make_model(config, dataset, device, ranks);
  Trainer::Start start;
  if (line) {
    start = start_from(*line, config, dataset, model);
    spdlog::info("going on from {}; {}", line->latest.label, grown_ids(*line, dataset));
  }
  Lineage lineage;
  if (line) lineage = {line->latest.label, line->cold_label, std::nullopt, {}};
  const Hold hold = start.hold;
  Trainer trainer(config, dataset, model, run_folder, arguments.restart, std::move(start));
  const TrainingSummary summary = trainer.run();
  if (summary.stopped) {
    spdlog::warn("stopped after step {}; the same command goes on from there", summary.steps);
    return 130;
  }
  spdlog::info("best epoch {} of {}; {:.0f} examples/s", summary.best_epoch, summary.epochs,
               summary.seconds > 0 ? static_cast<double>(summary.examples) / summary.seconds : 0.0);

  if (ranks) spdlog::info("time: {}", words_of(summary.spent));

  double fisher_seconds = 0;
  if (config.train.incremental.fisher_rows > 0) {
    const Stopwatch looking;
    lineage.fisher = look_at_rows(config, dataset, model, hold);
    fisher_seconds = looking.seconds();
    if (!lineage.fisher) {
      spdlog::warn("stopped; the same command goes on from the trained weights");
      return 130;
    }
  }

  // What all processes do together, and then what the first does by itself.
  TestScores scores = score_test(config, dataset, model, nullptr, !arguments.no_support_sizes);
  if (config.explore.enabled) {
    lineage.last_layers = last_layer_posteriors(
        model, dataset, config, line ? line->latest.last_layers : std::vector<LastLayerState>{});
  }
  if (!first) {
    ranks->wait_for("publishing");
    send_tables(model);
    return 0;
  }
  TestReport report;
  try {
    report = report_scores(config, dataset, std::move(scores), arguments.resamples);
  } catch (const std::exception& error) {
    // The others wait for the word to publish.
    if (ranks) ranks->announce("publishing", error.what());
    throw;
  }
  report.json["training"] = {
      {"best_epoch", summary.best_epoch},
      {"epochs", summary.epochs},
      {"seconds", summary.seconds},
      {"examples_per_second",
       summary.seconds > 0 ? static_cast<double>(summary.examples) / summary.seconds : 0.0},
      {"processes", ranks ? ranks->size() : 1},
      {"seconds_by_phase", to_json(summary.spent)}};
  if (lineage.fisher) report.json["training"]["fisher_seconds"] = fisher_seconds;
  report.json["validation"] = validation_of(run_folder / "log.jsonl", summary.best_epoch);
  if (ranks) ranks->announce("publishing");
  const fs::path version = publish_model(arguments.models, config, dataset, model, report.json,
                                         run_folder / "log.jsonl", lineage);
  // The published log and metrics stand for the run from here on.
  std::error_code ignored;
  remove_checkpoint(trainer.checkpoint_path());
  if (config.data.cache.empty()) fs::remove_all(data_folder, ignored);
  print_test_report(report.json);
  fmt::print("published {}\n", version.string());
  if (!arguments.metrics.empty()) write_file_atomic(arguments.metrics, report.json.dump(2) + "\n");
  if (!arguments.scores.empty()) write_scores(arguments.scores, dataset, report.scored);
  return 0;
}

}  // namespace limber
