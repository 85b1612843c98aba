#include <spdlog/spdlog.h>

#include <cmath>

#include "limber/core/base/error.h"
#include "limber/training/train/trainer.h"

// What happens to a trainer's state between two epochs.
namespace limber {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

void Trainer::validate(TrainingSummary& summary) {
  ++state_.epoch;
  state_.batch = 0;
  const double loss = state_.mean_loss();
  state_.loss_sum = state_.loss_count = 0;
  EvaluationSampler::Options options;
  options.part = Part::validation;
  options.support = options.support_limit = config_.meta.support;
  const QuickMetrics metrics = quick_metrics(
      score_rows(model_, dataset_, options, config_.meta.adaptation_steps), early_stop_weights());
  const std::string& watched = config_.train.early_stop;
  double score = watched == "none" ? static_cast<double>(state_.epoch) : metrics.score(watched);
  if (ranks_) score = ranks_->broadcast(score);
  if (std::isnan(score)) {
    throw InputError(
        "train.early_stop: {} of {} is not defined on the validation rows (one class only?); "
        "raise data.validation_share or watch another metric",
        watched, joined(dataset_.layout.labels));
  }
  if (!metrics.absent.empty() && state_.epoch == 1) {
    spdlog::warn("no validation row has {}: early stopping goes by the other labels",
                 joined(metrics.absent));
  }
  const bool better = state_.best_epoch == 0 || score > state_.best_score;
  if (better) {
    state_.best_score = score;
    state_.best_epoch = state_.epoch;
    keep_weights(model_, state_.best);
    summary.validation = metrics;
  }
  spdlog::info(
      "epoch {:3}  train loss {:.5f}  validation log loss {:.5f}  AUC {:.5f}  GAUC {:.5f}{}",
      state_.epoch, loss, metrics.log_loss, metrics.auc, metrics.gauc, better ? "  *" : "");
  log_epoch(metrics, loss);
  state_.done = state_.epoch >= config_.train.epochs ||
                state_.epoch - state_.best_epoch >= config_.train.patience;
  save();
}

std::vector<double> Trainer::early_stop_weights() const {
  if (!label_weights_.defined()) return {};
  const auto weights = label_weights_.to(torch::kCPU, torch::kDouble).contiguous();
  return {weights.const_data_ptr<double>(), weights.const_data_ptr<double>() + weights.numel()};
}

void Trainer::log_epoch(const QuickMetrics& metrics, double loss) {
  if (!log_) return;
  log_->write({{"step", state_.step},
               {"epoch", state_.epoch},
               {"train_loss", loss},
               {"validation_log_loss", metrics.log_loss},
               {"validation_auc", metrics.auc},
               {"validation_gauc", metrics.gauc},
               {"best_epoch", state_.best_epoch}});
  if (!events_) return;
  events_->add_scalar("train/epoch_loss", loss, state_.step);
  events_->add_scalar("validation/log_loss", metrics.log_loss, state_.step);
  events_->add_scalar("validation/auc", metrics.auc, state_.step);
  events_->add_scalar("validation/gauc", metrics.gauc, state_.step);
  events_->flush();
}

}  // namespace limber
