#include "limber/training/train/small_log_hint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace limber {
namespace {

// An epoch is one episode a member, so few members make few steps, and validation, which counts
// the epochs of patience, comes after few. On logs of `limber generate` with 300 members the
// default options end at 100 steps and adaptation gains less than a tenth of what it gains after
// 500; with 2000 members and 640 steps it has all that more of them would give.
constexpr std::int64_t kFewSteps = 100;      // more in an epoch are a large log's
constexpr std::int64_t kLeastSteps = 500;    // of the whole training; fewer are hinted at,
constexpr std::int64_t kLeastPatience = 75;  // as are fewer without improvement
constexpr std::int64_t kGoodSteps = 1000;    // what the hint aims at
constexpr std::int64_t kGoodPatience = 150;
constexpr std::int64_t kSmallBatch = 16;  // smaller ones make noisy steps
constexpr std::int64_t kMostEpochs = 100;
constexpr std::int64_t kMostPatience = 20;

std::int64_t quotient_above(std::int64_t number, std::int64_t divisor) {
  return (number + divisor - 1) / divisor;
}

/// Epochs that make `steps` steps, at most `most`; a round number.
std::int64_t epochs_for(std::int64_t steps, std::int64_t steps_per_epoch, std::int64_t most) {
  return std::min(most, quotient_above(quotient_above(steps, steps_per_epoch), 5) * 5);
}

}  // namespace

std::string small_log_hint(const Config& config, std::int64_t tasks) {
  const std::int64_t per_epoch = quotient_above(tasks, config.meta.tasks_per_batch);
  const bool stops_early = config.train.early_stop != "none";
  const bool enough = per_epoch * config.train.epochs >= kLeastSteps &&
                      (!stops_early || per_epoch * config.train.patience >= kLeastPatience);
  if (tasks == 0 || per_epoch >= kFewSteps || enough) return "";

  const std::int64_t batch = std::min(config.meta.tasks_per_batch, kSmallBatch);
  const std::int64_t steps = quotient_above(tasks, batch);
  const std::int64_t epochs = epochs_for(kGoodSteps, steps, kMostEpochs);
  const std::int64_t patience = epochs_for(kGoodPatience, steps, kMostPatience);
  std::vector<std::string> changes;
  if (batch < config.meta.tasks_per_batch) {
    changes.push_back(fmt::format("--set meta.tasks_per_batch={}", batch));
  }
  if (epochs > config.train.epochs) changes.push_back(fmt::format("--set train.epochs={}", epochs));
  if (stops_early && patience > config.train.patience) {
    changes.push_back(fmt::format("--set train.patience={}", patience));
  }
  if (changes.empty()) return "";
  return fmt::format(
      "the log is small, {} steps an epoch: a model trained so briefly may hardly personalise; "
      "give it more steps with {}",
      per_epoch, fmt::join(changes, " "));
}

}  // namespace limber
