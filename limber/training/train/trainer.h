#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "limber/core/base/progress.h"
#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/training/distributed/gradient_sum.h"
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

/// The model of a config for a data set, with its first weights. `ranks`: the processes that train
/// it together; null: one alone.
RankingModel make_model(const Config& config, const Dataset& dataset, torch::Device device,
                        const std::shared_ptr<ProcessGroup>& ranks = nullptr);

/// Where the time of training goes, in seconds of this process.
struct StepSeconds {
  double batches = 0;           ///< waiting for the next batch
  double agreement = 0;         ///< waiting for the slowest process before a step
  double rows = 0;              ///< rows of tables on their way from where they lie, and back
  double forward_backward = 0;  ///< the network, with the all-reduce that it hides
  double gradients = 0;         ///< the rest of the all-reduce of dense gradients
  double update = 0;            ///< optimizers
};

struct TrainingSummary {
  std::int64_t epochs = 0, steps = 0, best_epoch = 0;
  std::int64_t examples = 0;  ///< query rows seen, by all processes since they were started
  double seconds = 0;         ///< of this process in training, without validation
  StepSeconds spent;
  QuickMetrics validation;  ///< at the best epoch
  bool stopped = false;     ///< a signal asked for it; a checkpoint has been written
};

/// Trains a model: epochs of episodes (or of single rows, for a model without support), early
/// stopping on validation, checkpoints. The same seed, threads and data give the same bits,
/// interrupted or not.
///
/// A model that several processes hold (make_model) is trained by all of them: each runs its share
/// of every batch, the gradients of the dense weights are summed, and those of the tables' rows go
/// to who holds them, so that a step is that of one process to rounding (but for dropout, whose
/// masks are each process's own). Everything is collective then; the first writes the log.
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
  /// What the processes tell each other before a step, or the one that is alone itself.
  struct Agreement {
    double loss_count = -1;  ///< of the batch, over all processes
    bool stop = false;       ///< after the step
    bool save = false;
  };
  Agreement agree(const TaskBatch& batch);
  bool stop_now();
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
  std::shared_ptr<ProcessGroup> ranks_;  ///< null: one process
  std::unique_ptr<GradientSum> gradient_sum_;
  TrainState state_;
  Agreement agreed_;
  StepSeconds spent_;
  Stopwatch since_checkpoint_;

  std::int64_t steps_per_epoch_ = 0;
  std::int64_t stop_after_ = -1;
  std::optional<TrainingLog> log_;
  std::optional<EventFile> events_;
};

}  // namespace limber
