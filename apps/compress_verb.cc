#include <spdlog/spdlog.h>

#include <optional>

#include "apps/compression_report.h"
#include "apps/scores_file.h"
#include "apps/train_verbs.h"
#include "limber/core/artifact/artifact.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/folder_lock.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/check_weights.h"
#include "limber/training/compress/budget.h"
#include "limber/training/compress/ranking_network.h"
#include "limber/training/train/incremental.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/trainer.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

bool is_config(const std::string& model) {
  return model.ends_with(".yaml") || model.ends_with(".yml");
}

/// Whether dense weights are to be pruned or rounded.
bool trains(const CompressOptions& options) {
  return options.keep < 1 || !options.keep_of.empty() || options.target_ratio > 0 ||
         options.target_loss > 0 || options.bits > 0;
}

/// What a model is cannot be set while it is compressed.
void check_same_model(const Config& config, const Config& trained) {
  Config before = trained;
  for (std::size_t f = 0; f < std::min(before.features.size(), config.features.size()); ++f) {
    before.features[f].fingerprint_bits = config.features[f].fingerprint_bits;
  }
  const nlohmann::json now = config_to_json(config), then = config_to_json(before);
  for (const char* section : {"name", "model", "meta", "features"}) {
    if (now.at(section) != then.at(section)) {
      throw InputError(
          "--set {0}...: the model was trained with another {0}; only compress, data, train "
          "and features.NAME.fingerprint_bits may be set",
          section);
    }
  }
}

/// The folder of the published models: the one given, or the one that the model lies in.
fs::path models_folder(const CompressArguments& arguments, const Artifact& artifact) {
  if (!arguments.models.empty()) return arguments.models;
  const fs::path folder = artifact.folder().parent_path();
  if (folder.filename() == artifact.name()) return folder.parent_path();
  const fs::path whole = fs::absolute(artifact.folder()).lexically_normal().parent_path();
  if (whole.filename() == artifact.name()) return whole.parent_path();
  throw InputError(
      "{}: lies in no folder named {}, where its next version could stand; use --models",
      artifact.folder().string(), artifact.name());
}

/// What each item adds, where the hashes have put it.
struct MovedPopularity {
  std::vector<float> values;
  Popularity popularity;

  MovedPopularity(const Popularity& before, const InputLayout& layout,
                  const HashedVocabularies& hashed)
      : popularity(before) {
    const auto rows = hashed.rows_before.find(layout.features[before.feature].name);
    if (rows == hashed.rows_before.end()) return;
    for (const std::int64_t row : rows->second) {
      const float* effects = before.of(static_cast<std::int32_t>(row));
      values.insert(values.end(), effects, effects + before.labels);
    }
    popularity.values = values;
  }
};

Dataset read_dataset(LoadedModel& loaded, const Config& config, const fs::path& folder) {
  fs::create_directories(folder);
  return build_dataset_for(loaded, config, folder);
}

class CompressRun {
 public:
  explicit CompressRun(const CompressArguments& arguments)
      : arguments_(arguments),
        artifact_(Artifact::open(arguments.model)),
        loaded_(load_model(artifact_, choose_device("auto"))),
        config_(parse_config(config_to_yaml(loaded_.config), arguments.model, arguments.settings)) {
    check_same_model(config_, loaded_.config);
    if (config_.train.threads > 0) {
      torch::set_num_threads(static_cast<int>(config_.train.threads));
    }
  }

  int list() const {
    fmt::print("{}", weights_table(ranking_weights(loaded_.model)));
    return 0;
  }

  int run() {
    const CompressOptions& options = config_.compress;
    if (!trains(options) && options.rows == "float32" && options.vocabularies == "keep") {
      throw InputError(
          "compress: nothing is asked for; set compress.rows, compress.vocabularies, "
          "compress.keep, "
          "compress.target_ratio, compress.target_loss or compress.bits");
    }
    if (!trains(options) && !options.layers.empty()) {
      throw InputError(
          "compress.layers: nothing is asked of these weights; set compress.keep, "
          "compress.target_ratio, compress.target_loss or compress.bits, too");
    }
    if (options.crossbar.samples > 0) {
      throw InputError(
          "compress.crossbar.samples: chips are drawn for networks of convolutions (a .yaml), not "
          "for ranking models");
    }
    if (trains(options)) {
      // What cannot be met is said before anything is read.
      const Budget budget(ranking_weights(loaded_.model), options);
      if (options.target_ratio > 0) budget.share_for(options.target_ratio);
    }
    models_ = models_folder(arguments_, artifact_);
    work_ = models_ / artifact_.name() / ".compress";
    check_output_folder("--models", work_);
    lock_.emplace(work_);
    warn_of_compressed();
    outcome_.from = artifact_.folder().string();
    outcome_.resamples = arguments_.resamples;
    outcome_.sizes_before = part_sizes(artifact_);

    dataset_.emplace(read_dataset(loaded_, config_, work_ / "data"));
    for (const Part part : {Part::validation, Part::test}) {
      check_part_weights(*dataset_, part, config_.meta.support);
    }
    popularity_ = Popularity::find(artifact_, dataset_->layout);
    spdlog::info("testing {}/{}", artifact_.name(), artifact_.version());
    outcome_.test_before = report_test(config_, *dataset_, loaded_.model, arguments_.resamples,
                                       popularity_ ? &*popularity_ : nullptr);
    if (stop_requested() || !compress()) {
      spdlog::warn("stopped; the same command goes on from there");
      return 130;
    }
    publish();
    return 0;
  }

 private:
  /// Errors of two roundings add up, and the newest version is what a model's folder stands for.
  void warn_of_compressed() const {
    const std::optional<std::string> origin = compressed_origin(artifact_);
    if (!origin) return;
    spdlog::warn("{}/{} is compressed already; to begin with what was trained: limber compress {}",
                 artifact_.name(), artifact_.version(), *origin);
  }

  /// Weights that were packed stay so where nothing has changed them.
  void keep_packing() {
    const std::map<std::string, PackOptions> before = packing_of(artifact_);
    if (!trains(config_.compress)) {
      compressed_.packing = before;
      return;
    }
    std::vector<std::string> unpacked;
    for (const auto& [name, pack] : before) {
      if (!compressed_.packing.contains(name)) unpacked.push_back(name);
    }
    if (unpacked.empty()) return;
    spdlog::warn(
        "{} and what else was pruned or rounded before ({}) is stored as floats: training "
        "moved it; ask for the same structure and bits again to keep it",
        unpacked.front(), counted(unpacked.size(), "weight"));
  }

  /// False: a signal asked to stop.
  bool compress() {
    const Stopwatch time;
    compressed_.config = config_;
    compressed_.model = loaded_.model;
    compressed_.encoders = loaded_.encoders;
    compressed_.rows = row_type_of(config_.compress.rows);
    if (trains(config_.compress)) {
      RankingNetwork network(config_, *dataset_, loaded_.model);
      outcome_.result = compress_network(network, config_.compress, work_, arguments_.restart);
      if (outcome_.result.stopped) return false;
      const ShrunkModel shrunk = removes_units(outcome_.result)
                                     ? shrink_model(config_, loaded_.model, outcome_.result)
                                     : ShrunkModel{config_, loaded_.model, {}};
      compressed_.config = shrunk.config;
      compressed_.model = shrunk.model;
      compressed_.packing = packing_of(config_.compress, outcome_.result, shrunk);
      compressed_.dense_changed = !outcome_.result.weights.empty();
      if (removes_units(outcome_.result)) {
        // What is published, with the zeros that fill up experts of unequal width.
        outcome_.result.weights_after = 0;
        for (const CompressibleWeight& weight : ranking_weights(compressed_.model)) {
          outcome_.result.weights_after += weight.matrix.numel();
        }
      }
    }
    keep_packing();
    HashedVocabularies hashed;
    if (config_.compress.vocabularies == "perfect_hash") {
      hashed = hash_vocabularies(config_, loaded_.encoders);
      move_rows(compressed_.model, hashed);
    }
    round_tables(compressed_);
    outcome_.seconds = time.seconds();
    return test_again(hashed);
  }

  /// Tests what will be served. Where vocabularies have become hashes, that begins with the rows:
  /// an unknown value may be taken for a known one.
  bool test_again(const HashedVocabularies& hashed) {
    std::optional<MovedPopularity> moved;
    if (!hashed.rows_before.empty()) {
      if (popularity_) moved.emplace(*popularity_, dataset_->layout, hashed);
      compressed_.encoders = loaded_.encoders = hashed.encoders;
      compressed_.rows_before = hashed.rows_before;
      for (FeatureOptions& feature : compressed_.config.features) {
        if (hashed.rows_before.contains(feature.name)) feature.vocabulary = "perfect_hash";
      }
      dataset_.reset();
      dataset_.emplace(read_dataset(loaded_, compressed_.config, work_ / "data"));
    }
    spdlog::info("testing the compressed model");
    const Popularity* popularity = moved         ? &moved->popularity
                                   : popularity_ ? &*popularity_
                                                 : nullptr;
    outcome_.test_after = report_test(compressed_.config, *dataset_, compressed_.model,
                                      arguments_.resamples, popularity);
    return !stop_requested();
  }

  void publish() {
    nlohmann::json metrics = outcome_.test_after.json;
    metrics["compression"] = compression_json(outcome_);
    const fs::path version =
        publish_compressed(models_, artifact_, compressed_, metrics, outcome_.seconds);
    // An interrupted run of other options goes on another day.
    if (trains(config_.compress)) forget_compression(work_);
    std::error_code ignored;
    fs::remove_all(work_ / "data", ignored);
    outcome_.sizes_after = part_sizes(Artifact::open(version));
    metrics["compression"]["sizes"] = sizes_json(outcome_);
    metrics["compression"]["to"] = version.string();
    fmt::print("{}published {}\n", compression_table(metrics), version.string());
    if (!arguments_.metrics.empty()) {
      write_file_atomic(arguments_.metrics, metrics.dump(2) + "\n");
    }
    if (!arguments_.scores.empty()) {
      write_scores(arguments_.scores, *dataset_, outcome_.test_after.scored);
    }
  }

  const CompressArguments& arguments_;
  Artifact artifact_;
  LoadedModel loaded_;
  Config config_;
  fs::path models_, work_;
  std::optional<FolderLock> lock_;  ///< two runs would write one file of data
  std::optional<Dataset> dataset_;
  std::optional<Popularity> popularity_;
  CompressedModel compressed_;
  CompressionOutcome outcome_;
};

}  // namespace

int run_compress(const CompressArguments& arguments) {
  check_output_file("--metrics", arguments.metrics);
  check_output_file("--scores", arguments.scores);
  if (is_config(arguments.model)) {
    CompressArguments network = arguments;
    if (network.models.empty()) network.models = "models";
    return run_compress_network(network);
  }
  if (!arguments.report.empty()) {
    throw InputError(
        "--report: crossbars are reported of networks of convolutions (a .yaml), not of ranking "
        "models");
  }
  CompressRun run(arguments);
  return arguments.list ? run.list() : run.run();
}

}  // namespace limber
