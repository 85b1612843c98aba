#include "limber/training/train/trainer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/loader.h"
#include "limber/core/data/vocabulary.h"
#include "limber/training/meta/outer_gradients.h"
#include "limber/training/train/checkpoint_parts.h"
#include "limber/training/train/label_weights.h"
#include "limber/training/train/schedule.h"
#include "limber/training/train/small_log_hint.h"
#include "limber/training/train/training_sampler.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// What must be the same for a checkpoint to be continued. How often checkpoints are written, and
/// what the run is called, may change.
std::string fingerprint_of(const Config& config, const Dataset& dataset,
                           const std::string& origin) {
  Config same = config;
  same.train.checkpoint_seconds = 0;
  same.train.tensorboard = false;
  same.name = "any";
  same.data.cache.clear();
  return config_to_json(same).dump() + " rows " + std::to_string(dataset.rows) + " tasks " +
         std::to_string(dataset.tasks.size()) + (origin.empty() ? "" : " from " + origin);
}

/// How often a support row passes through the model beside a query row's one time.
std::int64_t support_passes(const RankingModel& model, const Config& config) {
  if (!model->meta_block) return 1;
  return 1 + config.meta.inner_steps * (config.meta.order == "second" ? 2 : 1);
}

/// Processes that read other files, or other configs, would train on rows of tables that the others
/// mean otherwise.
void check_alike(ProcessGroup& ranks, const std::string& fingerprint, const Dataset& dataset) {
  std::string all = fingerprint;
  for (const FeatureEncoder& encoder : dataset.encoders) all += encoder.to_json().dump();
  for (const EmbeddingTableShape& table : dataset.layout.tables) {
    all += ' ';
    all += std::to_string(table.rows);
  }
  const auto hash = static_cast<std::int64_t>(hash_key(Key{.text = all}));
  const auto hashes = ranks.all_gather(torch::full({1, 1}, hash, torch::kLong));
  for (std::size_t rank = 1; rank < hashes.size(); ++rank) {
    if (hashes[rank].item<std::int64_t>() == hashes[0].item<std::int64_t>()) continue;
    throw InputError(
        "process {} has another config or other data than process 0; give all the same config and "
        "--set, and files that do not change while they are read",
        rank);
  }
}

}  // namespace

torch::Device choose_device(const std::string& device) {
  const bool cuda = torch::cuda::is_available();
  if (device == "cuda" && !cuda) {
    throw InputError("train.device: cuda: this LibTorch sees no CUDA device; use cpu or auto");
  }
  return device == "cpu" || !cuda ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA);
}

RankingModel make_model(const Config& config, const Dataset& dataset, torch::Device device,
                        const std::shared_ptr<ProcessGroup>& ranks) {
  const std::size_t labels = dataset.layout.labels.size();
  std::vector<double> ones(labels, 0), counts(labels, 0);
  for (const TaskRows& task : dataset.tasks) {
    for (std::int64_t row = task.begin; row < task.train_end; ++row) {
      for (std::size_t l = 0; l < labels; ++l) {
        const float label = dataset.label(row, l);
        if (std::isnan(label)) continue;
        ones[l] += static_cast<double>(dataset.weight(row)) * label;
        counts[l] += dataset.weight(row);
      }
    }
  }
  for (std::size_t l = 0; l < labels; ++l) ones[l] /= std::max(counts[l], 1e-12);
  return RankingModel(dataset.layout, config.model, config.meta, ones, config.train.seed,
                      torch::TensorOptions().dtype(torch::kFloat).device(device), ranks);
}

Trainer::Trainer(const Config& config, const Dataset& dataset, RankingModel model,
                 fs::path run_folder, bool restart, Start start)
    : config_(config),
      dataset_(dataset),
      model_(std::move(model)),
      run_folder_(std::move(run_folder)),
      fingerprint_(fingerprint_of(config, dataset, start.origin)),
      label_weights_(label_weights(config.train, model_)),
      optimizer_(model_->parameters(), config.train),
      hold_(std::move(start.hold)) {
  if (const RowExchange* exchange = model_->tables.exchange()) {
    ranks_ = exchange->ranks();
    gradient_sum_ = std::make_unique<GradientSum>(ranks_, model_->parameters());
    if (!hold_.empty()) throw Error("a hold needs all rows of the tables in one process");
    check_alike(*ranks_, fingerprint_, dataset);
  }
  const bool first = !ranks_ || ranks_->is_first();
  fs::create_directories(run_folder_);
  const auto first_epoch = training_sampler(model_, dataset_, config_, 0);
  steps_per_epoch_ = first_epoch->batches();
  if (steps_per_epoch_ == 0) {
    throw InputError("data.task: no {} has two training rows; nothing can be meta-learned",
                     config.data.task);
  }
  if (!hold_.empty()) hold_.count_touches(*first_epoch, dataset_);
  // One looks for all: what it does next may change what the others would see.
  bool resume = !restart && fs::exists(checkpoint_path());
  if (ranks_) resume = ranks_->broadcast(resume ? 1.0 : 0.0) > 0;
  if (resume) {
    load_checkpoint(checkpoint_path(), fingerprint_, state_, model_, optimizer_);
    if (!state_.done) {
      spdlog::info("resuming after step {} (epoch {})", state_.step, state_.epoch + 1);
    }
    if (first) log_.emplace(TrainingLog::resume(run_folder_ / "log.jsonl", state_.step));
  } else if (first) {
    // Few rows are what going on from a model is for.
    if (model_->uses_support() && start.origin.empty()) {
      const auto tasks = std::ranges::count_if(
          dataset.tasks, [](const TaskRows& task) { return task.train_end - task.begin >= 2; });
      const std::string hint = small_log_hint(config, tasks);
      if (!hint.empty()) spdlog::info("hint: {}", hint);
    }
    std::error_code ignored;
    remove_checkpoint(checkpoint_path());
    fs::remove_all(run_folder_ / "events", ignored);
    log_.emplace(TrainingLog::start(run_folder_ / "log.jsonl"));
  }
  if (ranks_) {
    // What could differ in the last bit, between processors of two kinds, would go on differing.
    for (auto& [name, tensor] : model_->dense_tensors()) ranks_->broadcast(tensor);
    // Masks of dropout are each process's own.
    if (!resume) torch::manual_seed(config.train.seed + ranks_->rank());
  }
  if (config.train.tensorboard && first) {
    fs::create_directories(run_folder_ / "events");
    events_.emplace(run_folder_ / "events", resume ? state_.step + 1 : 0);
  }
}

Trainer::Agreement Trainer::agree(const TaskBatch& batch) {
  const bool stop = stop_requested() || (stop_after_ >= 0 && state_.step + 1 >= stop_after_);
  const bool save =
      since_checkpoint_.seconds() >= static_cast<double>(config_.train.checkpoint_seconds);
  if (!ranks_) return {-1, stop, save};
  const Stopwatch watch;
  const torch::Tensor all =
      torch::tensor({loss_count(model_, batch, label_weights_), stop ? 1.0 : 0.0,
                     save && ranks_->is_first() ? 1.0 : 0.0},
                    torch::kDouble);
  ranks_->all_reduce(all);
  spent_.agreement += watch.seconds();
  const double* sums = all.const_data_ptr<double>();
  return {sums[0], sums[1] > 0, sums[2] > 0};
}

std::pair<double, double> Trainer::step(const TaskBatch& batch, double factor) {
  agreed_ = agree(batch);
  EpisodeOptions options;
  options.train = true;
  options.second_order = config_.meta.order == "second";
  options.steps = config_.meta.inner_steps;
  options.label_weights = label_weights_;
  options.loss_count = agreed_.loss_count;
  const RowExchange* exchange = model_->tables.exchange();
  const double pulled = exchange ? exchange->pull_seconds() : 0;
  Stopwatch watch;
  OuterGradients outer = outer_gradients(model_, batch, options, [this] {
    if (gradient_sum_) gradient_sum_->begin();
  });
  const double pulling = (exchange ? exchange->pull_seconds() : 0) - pulled;
  spent_.rows += pulling;
  spent_.forward_backward += watch.seconds() - pulling;
  if (ranks_) {
    watch = Stopwatch();
    const torch::Tensor loss = torch::full({1}, outer.loss_sum, torch::kDouble);
    gradient_sum_->finish();
    ranks_->all_reduce(loss);
    outer.loss_sum = loss.item<double>();
    outer.loss_count = agreed_.loss_count;
    spent_.gradients += watch.seconds();
  }
  watch = Stopwatch();
  hold_.add_gradients(model_, batch.rows, outer.table_rows);
  const double norm = optimizer_.clip(config_.train.clip_norm, ranks_.get());
  if (!std::isfinite(outer.loss_sum) || !std::isfinite(norm)) {
    throw Error(
        "step {}: the loss or its gradient is not finite; lower train.learning_rate or "
        "meta.inner_learning_rate_start",
        state_.step + 1);
  }
  optimizer_.step(config_.train.learning_rate * factor);
  const double pushed = exchange ? exchange->push_seconds() : 0;
  const double rate = config_.train.sparse_learning_rate * factor;
  if (config_.train.sparse_optimizer == "sgd") {
    model_->tables.step_sgd(batch.rows, outer.table_rows, rate);
  } else {
    model_->tables.step_rowwise_adagrad(batch.rows, outer.table_rows, rate);
  }
  const double pushing = (exchange ? exchange->push_seconds() : 0) - pushed;
  spent_.rows += pushing;
  spent_.update += watch.seconds() - pushing;
  return {outer.loss_sum, outer.loss_count};
}

bool Trainer::stop_now() {
  const bool mine = stop_requested() || (stop_after_ >= 0 && state_.step >= stop_after_);
  if (!ranks_) return mine;
  const torch::Tensor any = torch::full({1}, mine ? 1.0 : 0.0);
  ranks_->all_reduce(any);
  return any.item<float>() > 0;
}

TrainingSummary Trainer::run() {
  TrainingSummary summary;
  model_->train();
  while (!state_.done && !stop_now()) run_epoch(summary);
  summary.stopped = !state_.done;
  summary.epochs = state_.epoch;
  summary.steps = state_.step;
  summary.best_epoch = state_.best_epoch;
  summary.spent = spent_;
  if (ranks_) {
    const torch::Tensor examples = torch::full({1}, summary.examples, torch::kLong);
    ranks_->all_reduce(examples);
    summary.examples = examples.item<std::int64_t>();
  }
  if (state_.done && !state_.best.empty()) restore_weights(model_, state_.best);
  // As large as the model, and no longer needed.
  if (state_.done) state_.best.clear();
  model_->eval();
  return summary;
}

void Trainer::run_epoch(TrainingSummary& summary) {
  const auto epoch_sampler = training_sampler(model_, dataset_, config_, state_.epoch);
  std::optional<ShareSampler> own;
  if (ranks_) own.emplace(*epoch_sampler, ranks_->rank_of(), support_passes(model_, config_));
  const std::int64_t all_steps = steps_per_epoch_ * config_.train.epochs;
  Loader loader(dataset_, own ? static_cast<const EpisodeSampler&>(*own) : *epoch_sampler,
                state_.batch);
  const bool by_task = model_->uses_support();
  Progress progress(fmt::format("epoch {}/{}", state_.epoch + 1, config_.train.epochs),
                    static_cast<std::uint64_t>(steps_per_epoch_), "steps");
  progress.set(static_cast<std::uint64_t>(state_.batch));
  since_checkpoint_ = Stopwatch();
  // Waiting for data counts: what a user sees is how fast the log goes through.
  const Stopwatch loop_time;
  const auto next = [&] {
    const Stopwatch watch;
    auto batch = loader.next();
    spent_.batches += watch.seconds();
    return batch;
  };
  while (auto batch = next()) {
    const double factor =
        learning_rate_factor(config_.train.schedule, config_.train.warm_up, state_.step, all_steps);
    const auto [sum, count] = step(*batch, factor);
    summary.examples += by_task ? batch->query_rows() : batch->rows.rows;
    loader.recycle(std::move(batch));
    ++state_.batch;
    ++state_.step;
    state_.loss_sum += sum;
    state_.loss_count += count;
    progress.note(fmt::format("loss {:.4f}", state_.mean_loss()));
    progress.add(1);
    if (events_ && state_.step % 20 == 0)
      events_->add_scalar("train/loss", count > 0 ? sum / count : 0.0, state_.step);
    if (state_.batch < steps_per_epoch_ && (agreed_.stop || agreed_.save)) {
      save();
      since_checkpoint_ = Stopwatch();
      if (agreed_.stop) {
        summary.seconds += loop_time.seconds();
        return;
      }
    }
  }
  summary.seconds += loop_time.seconds();
  progress.finish();
  validate(summary);
}

void Trainer::save() {
  if (log_) log_->sync();
  save_checkpoint(checkpoint_path(), fingerprint_, state_, model_, optimizer_);
}

}  // namespace limber
