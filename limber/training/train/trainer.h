#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/training/model/ranking_model.h"
#include "limber/training/train/dense_optimizer.h"
#include "limber/training/train/event_file.h"
#include "limber/training/train/hold.h"
#include "limber/training/train/scoring.h"
#include "limber/training/train/train_state.h"
#include "limber/training/train/training_log.h"

namespace limber {

/// Resolves train.device. Throws InputError where cuda is asked for and there is none.
torch::Device choose_device(const std::string& device);

/// The model of a config for a data set, with its first weights.
RankingModel make_model(const Config& config, const Dataset& dataset, torch::Device device);

struct TrainingSummary {
  std::int64_t epochs = 0, steps = 0, best_epoch = 0;
  std::int64_t examples = 0;  ///< query rows seen by this process
  double seconds = 0;         ///< of this process in training, without validation
  QuickMetrics validation;    ///< at the best epoch
  bool stopped = false;       ///< a signal asked for it; a checkpoint has been written
};

/// Trains a model: epochs of episodes (or of single rows, for a model without support), early
/// stopping on validation, checkpoints. The same seed, threads and data give the same bits,
/// interrupted or not.
class Trainer {
 public:
  /// What training goes on from, where it does not begin anew.
  struct Start {
    std::string origin;  ///< says which model; a checkpoint of another start is refused
    Hold hold;           ///< on its weights
  };

  /// `run_folder` gets checkpoint, log.jsonl and event files. `restart` ignores what it holds.
  Trainer(const Config& config, const Dataset& dataset, RankingModel model,
          std::filesystem::path run_folder, bool restart, Start start = {});

  /// Trains to the end, or until a signal asks to stop. Leaves the best weights in the model.
  TrainingSummary run();

  /// One outer step; returns loss sum and count. Public for benchmarks and tests.
  std::pair<double, double> step(const TaskBatch& batch, double learning_rate_factor);

  /// Ends run() with a checkpoint once that many steps are done, as a signal would.
  void stop_after(std::int64_t step) { stop_after_ = step; }

  const TrainState& state() const { return state_; }
  std::filesystem::path checkpoint_path() const { return run_folder_ / "checkpoint"; }

 private:
  void run_epoch(TrainingSummary& summary);
  void validate(TrainingSummary& summary);
  void save();
  std::vector<double> early_stop_weights() const;
  void log_epoch(const QuickMetrics& metrics, double loss);

  Config config_;
  const Dataset& dataset_;
  RankingModel model_;
  std::filesystem::path run_folder_;
  std::string fingerprint_;
  torch::Tensor label_weights_;  ///< [labels]; undefined: each counts once
  DenseOptimizer optimizer_;
  Hold hold_;
  TrainState state_;
  bool should_stop() const;

  std::int64_t steps_per_epoch_ = 0;
  std::int64_t stop_after_ = -1;
  std::optional<TrainingLog> log_;
  std::optional<EventFile> events_;
};

}  // namespace limber
