#include "limber/training/compress/target_search.h"

#include <spdlog/spdlog.h>

#include <cmath>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/training/compress/masked_weights.h"

namespace limber {

TargetSearch::TargetSearch(CompressibleNetwork& network,
                           const std::vector<CompressibleWeight>& weights, const Budget& budget,
                           const CompressOptions& options,
                           const CompressibleNetwork::Quality& before, State state)
    : network_(network),
      weights_(weights),
      budget_(budget),
      options_(options),
      before_(before),
      state_(state) {
  if (state_.high < 0) state_.high = std::log(budget_.highest_ratio());
}

double TargetSearch::share() const {
  return budget_.share_for(std::exp(state_.low));
}

bool TargetSearch::run(std::int64_t& step, TrainingLog& log,
                       const std::function<void(const State&)>& reached) {
  TensorMap given;
  add_copies(given, "", network_.state());
  while (state_.trials < kTrials) {
    const double middle = (state_.low + state_.high) / 2;
    std::vector<CompressionTarget> targets =
        compression_targets(weights_, budget_, options_, budget_.share_for(std::exp(middle)));
    MaskedWeights masked(targets, options_.structure == "units");
    CompressibleNetwork::Hooks hooks;
    hooks.before_step = [&](std::int64_t) { masked.before_step(); };
    hooks.after_step = [&](std::int64_t) { masked.after_step(); };
    hooks.keep_going = [] { return !stop_requested(); };
    CompressibleNetwork::Quality quality = network_.validate();
    if (options_.admm.retrain_epochs > 0) {
      network_.train_epoch("trial " + std::to_string(state_.trials + 1), 0,
                           options_.admm.retrain_learning_rate, hooks);
      if (!stop_requested()) step += network_.steps_per_epoch();
    }
    if (stop_requested()) {
      restore_copies(given, "", network_.state());
      return false;
    }
    // As the compression that follows: a pass that makes it worse is not kept.
    if (const auto retrained = network_.validate();
        retrained.metric > quality.metric || !std::isfinite(quality.metric)) {
      quality = retrained;
    }
    restore_copies(given, "", network_.state());
    const double fall = before_.metric - quality.metric;
    // A network that has gone wrong is not fine either.
    const bool fine = fall <= options_.target_loss;
    (fine ? state_.low : state_.high) = middle;
    ++state_.trials;
    spdlog::info("trial {}/{}: {:.3g} times fewer weights, validation {} {:+.5f}{}", state_.trials,
                 kTrials, std::exp(middle), network_.metric_name(), -fall,
                 fine ? "" : ", too much");
    log.write({{"step", step},
               {"phase", "search"},
               {"trial", state_.trials},
               {"ratio", std::exp(middle)},
               {"validation_metric", quality.metric}});
    reached(state_);
  }
  if (state_.low == 0) {
    throw InputError(
        "compress.target_loss: {:g}: even {:.3g} times fewer weights cost more than that of {}; "
        "allow more, or name other layers in compress.layers",
        options_.target_loss, std::exp(state_.high), network_.metric_name());
  }
  spdlog::info("{:.3g} times fewer weights stay within compress.target_loss", std::exp(state_.low));
  return true;
}

}  // namespace limber
