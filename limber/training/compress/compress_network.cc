#include "limber/training/compress/compress_network.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/training/compress/compress_checkpoint.h"
#include "limber/training/compress/compress_state.h"
#include "limber/training/compress/levels.h"
#include "limber/training/compress/masked_weights.h"
#include "limber/training/compress/target_search.h"
#include "limber/training/train/training_log.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

using Quality = CompressibleNetwork::Quality;

constexpr const char* kCheckpoint = "compress.checkpoint";
/// Primal residual, as a share of the weights' norm, at which the projection still costs much.
constexpr double kFarAway = 0.1;

class Compression {
 public:
  Compression(CompressibleNetwork& network, const CompressOptions& options, const fs::path& folder,
              bool restart)
      : network_(network),
        options_(options),
        checkpoint_path_(folder / kCheckpoint),
        weights_(network.weights()),
        budget_(weights_, options),
        fingerprint_(compression_fingerprint(network, options)) {
    fs::create_directories(folder);
    if (options.target_ratio > 0) state_.share = budget_.share_for(options.target_ratio);
    if (options.target_ratio == 0) state_.share = options.keep;
    if (!restart) loaded_ = load_compress_checkpoint(checkpoint_path_, fingerprint_);
    if (loaded_) state_ = compress_state_of(loaded_->state);
    log_.emplace(loaded_ ? TrainingLog::resume(folder / "compress.jsonl", state_.step)
                         : TrainingLog::start(folder / "compress.jsonl"));
    if (loaded_) {
      spdlog::info("compression goes on in phase {} after {} passes", state_.phase, state_.epoch);
    } else {
      state_.before = network.validate();
      if (!std::isfinite(state_.before.metric)) {
        throw InputError(
            "the {} of the validation rows is not defined (one class only?); raise "
            "data.validation_share",
            network.metric_name());
      }
    }
  }

  CompressionResult run() {
    bool going = search();
    targets_ = compression_targets(weights_, budget_, options_, state_.share);
    going = going && regularise() && retrain();
    CompressionResult result = going ? collect() : CompressionResult{};
    result.stopped = !going;
    result.validation_before = state_.before;
    result.seconds = time_.seconds();
    return result;
  }

 private:
  void save(const NamedTensorList& own) {
    log_->sync();
    CompressCheckpoint checkpoint{to_json(state_), best_};
    add_copies(checkpoint.tensors, "network.", network_.state());
    add_copies(checkpoint.tensors, "own.", own);
    save_compress_checkpoint(checkpoint_path_, fingerprint_, checkpoint);
  }

  /// What the checkpoint that this call goes on from says, if it was written in this phase.
  void restore(const std::string& phase, const NamedTensorList& own) {
    if (!loaded_ || state_.phase != phase) return;
    restore_copies(loaded_->tensors, "network.", network_.state());
    restore_copies(loaded_->tensors, "own.", own);
    for (const auto& [name, tensor] : loaded_->tensors) {
      if (name.starts_with("best.")) best_[name] = tensor;
    }
    loaded_.reset();
  }

  /// One pass of the phase. False: a signal asked to stop, and the pass does not count.
  bool pass(const std::string& phase, double learning_rate, CompressibleNetwork::Hooks hooks) {
    hooks.keep_going = [] { return !stop_requested(); };
    const double loss = network_.train_epoch(phase, state_.epoch, learning_rate, hooks);
    if (stop_requested()) return false;
    if (!std::isfinite(loss)) {
      throw Error("compression: the loss is not finite; lower compress.admm.{}",
                  phase == "admm" ? "learning_rate" : "retrain_learning_rate");
    }
    state_.step += network_.steps_per_epoch();
    ++state_.epoch;
    last_loss_ = loss;
    return true;
  }

  bool search() {
    if (state_.phase != "search") return true;
    // Trials give the network back as it was, so there is nothing to take from the checkpoint.
    loaded_.reset();
    if (options_.target_loss > 0) {
      TargetSearch finder(network_, weights_, budget_, options_, state_.before, state_.search);
      // A trial leaves other weights behind, so the first ones are kept beside.
      const bool found = finder.run(state_.step, *log_, [&](const TargetSearch::State& reached) {
        state_.search = reached;
        save({});
      });
      if (!found) return false;
      state_.share = finder.share();
    }
    state_.phase = "admm";
    state_.epoch = 0;
    state_.rho = options_.admm.rho;
    return true;
  }

  bool asks_for_nothing() const {
    for (const CompressionTarget& target : targets_) {
      if (target.groups != nullptr || target.bits > 0) return false;
    }
    return true;
  }

  bool regularise() {
    if (state_.phase != "admm" || asks_for_nothing()) return true;
    Admm admm(targets_, options_.admm);
    restore("admm", admm.state());
    admm.set_rho(state_.rho);
    const std::int64_t steps = network_.steps_per_epoch() * options_.admm.epochs;
    const std::int64_t updates =
        std::clamp(options_.admm.updates_per_epoch * options_.admm.epochs, std::int64_t{1},
                   std::max(steps / Admm::kFewestSteps, std::int64_t{1}));
    while (state_.epoch < options_.admm.epochs) {
      std::int64_t done = state_.epoch * network_.steps_per_epoch();
      const std::int64_t before = state_.step - done;
      CompressibleNetwork::Hooks hooks;
      hooks.before_step = [&](std::int64_t) { admm.add_gradients(); };
      hooks.after_step = [&](std::int64_t) {
        ++done;
        if (done * updates / steps == (done - 1) * updates / steps) return;
        const double rho = admm.rho();
        const Admm::Residuals residuals = admm.update();
        log_->write({{"step", before + done},
                     {"phase", "admm"},
                     {"rho", rho},
                     {"primal_residual", residuals.primal},
                     {"dual_residual", residuals.dual},
                     {"weight_norm", residuals.weights}});
        last_residuals_ = residuals;
      };
      if (!pass("admm", options_.admm.learning_rate, hooks)) return false;
      state_.rho = admm.rho();
      std::string residuals = "no update yet";
      if (const double norm = last_residuals_.weights; norm > 0) {
        residuals =
            fmt::format("primal residual {:.4f}  dual {:.2g}  of |W|, rho {:.2g}",
                        last_residuals_.primal / norm, last_residuals_.dual / norm, state_.rho);
      }
      spdlog::info("ADMM pass {}/{}  train loss {:.5f}  {}", state_.epoch, options_.admm.epochs,
                   last_loss_, residuals);
      log_->write({{"step", state_.step},
                   {"phase", "admm"},
                   {"pass", state_.epoch},
                   {"loss", last_loss_},
                   {"rho", state_.rho}});
      save(admm.state());
    }
    if (last_residuals_.primal > kFarAway * last_residuals_.weights) {
      spdlog::warn(
          "the weights are still {:.0f}% of their norm away from what they are projected to; raise "
          "compress.admm.learning_rate or epochs, or lower updates_per_epoch",
          100 * last_residuals_.primal / last_residuals_.weights);
    }
    return true;
  }

  bool retrain() {
    if (asks_for_nothing()) {
      state_.best = state_.before;
      return true;
    }
    MaskedWeights masked(targets_, options_.structure == "units");
    if (state_.phase == "admm") {
      state_.phase = "retrain";
      state_.epoch = 0;
      consider_best(masked);
      save(masked.state());
    } else {
      restore(state_.phase, masked.state());
      masked.restored();
    }
    while (state_.epoch < options_.admm.retrain_epochs) {
      masked.begin_pass();
      CompressibleNetwork::Hooks hooks;
      hooks.before_step = [&](std::int64_t) { masked.before_step(); };
      hooks.after_step = [&](std::int64_t) { masked.after_step(); };
      if (!pass("retrain", options_.admm.retrain_learning_rate, hooks)) return false;
      consider_best(masked);
      save(masked.state());
    }
    restore_copies(best_, "best.", network_.state());
    restore_copies(best_, "best.", masked.state());
    masked.restored();
    state_.phase = "done";
    save(masked.state());
    keep(masked);
    return true;
  }

  /// Keeps the weights if they are the best on validation since the projection.
  void consider_best(MaskedWeights& masked) {
    const Quality quality = network_.validate();
    const bool better = !std::isfinite(state_.best.metric) || state_.best_epoch < 0 ||
                        quality.metric > state_.best.metric;
    if (better) {
      state_.best = quality;
      state_.best_epoch = state_.epoch;
      best_.clear();
      add_copies(best_, "best.", network_.state());
      add_copies(best_, "best.", masked.state());
    }
    const std::string name = network_.metric_name();
    if (state_.epoch == 0) {
      spdlog::info("projected      validation loss {:.5f}  {} {:.5f}  (before: {:.5f})",
                   quality.loss, name, quality.metric, state_.before.metric);
    } else {
      spdlog::info("retrained {}/{}  train loss {:.5f}  validation loss {:.5f}  {} {:.5f}{}",
                   state_.epoch, options_.admm.retrain_epochs, last_loss_, quality.loss, name,
                   quality.metric, better ? "  *" : "");
    }
    nlohmann::ordered_json line{{"step", state_.step},
                                {"phase", "retrain"},
                                {"pass", state_.epoch},
                                {"validation_loss", quality.loss},
                                {"validation_metric", quality.metric}};
    if (state_.epoch > 0) line["loss"] = last_loss_;
    log_->write(line);
  }

  void keep(const MaskedWeights& masked) {
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      const CompressionTarget& target = targets_[t];
      CompressedWeight& weight = compressed_.emplace_back();
      weight.name = target.weight.name;
      weight.mask = masked.mask(t);
      weight.kept_units = masked.kept_units(t);
      if (target.groups != nullptr) {
        weight.groups = target.groups->groups();
        weight.kept_groups = target.groups->kept_groups(target.share);
      }
      if (target.bits == 0) continue;
      weight.scale = masked.scale(t);
      weight.codes = nearest_codes(target.weight.matrix, weight.scale, target.bits).contiguous();
    }
  }

  CompressionResult collect() {
    CompressionResult result;
    result.weights = std::move(compressed_);
    result.weights_before = budget_.elements();
    result.validation_after = state_.best;
    std::vector<std::int64_t> removed(weights_.size(), 0);
    std::int64_t masked_out = 0;
    for (std::size_t w = 0; w < weights_.size(); ++w) {
      const CompressedWeight* weight = result.find(weights_[w].name);
      if (weight == nullptr || weight->groups == 0) continue;
      if (options_.structure == "units") {
        removed[w] =
            weights_[w].matrix.size(1) - static_cast<std::int64_t>(weight->kept_units.size());
      } else {
        masked_out += weight->mask.numel() - weight->mask.sum().item<std::int64_t>();
      }
    }
    for (const std::int64_t left : elements_without_units(weights_, removed)) {
      result.weights_after += left;
    }
    result.weights_after -= masked_out;
    const double fall = state_.before.metric - state_.best.metric;
    if (options_.target_loss > 0 && fall > options_.target_loss) {
      spdlog::warn("validation {} fell by {:.5f}, more than compress.target_loss: {:g}",
                   network_.metric_name(), fall, options_.target_loss);
    }
    return result;
  }

  Stopwatch time_;
  CompressibleNetwork& network_;
  const CompressOptions& options_;
  fs::path checkpoint_path_;
  std::vector<CompressibleWeight> weights_;
  Budget budget_;
  std::string fingerprint_;
  CompressState state_;
  std::optional<CompressCheckpoint> loaded_;
  std::optional<TrainingLog> log_;
  std::vector<CompressionTarget> targets_;
  TensorMap best_;
  std::vector<CompressedWeight> compressed_;
  double last_loss_ = 0;
  Admm::Residuals last_residuals_;
};

}  // namespace

const CompressedWeight* CompressionResult::find(const std::string& name) const {
  for (const CompressedWeight& weight : weights) {
    if (weight.name == name) return &weight;
  }
  return nullptr;
}

CompressionResult compress_network(CompressibleNetwork& network, const CompressOptions& options,
                                   const fs::path& work_folder, bool restart) {
  return Compression(network, options, work_folder, restart).run();
}

void forget_compression(const fs::path& work_folder) {
  std::error_code ignored;
  fs::remove(work_folder / kCheckpoint, ignored);
}

}  // namespace limber
