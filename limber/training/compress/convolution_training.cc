#include "limber/training/compress/convolution_training.h"

#include <spdlog/spdlog.h>

#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <span>

#include "limber/core/artifact/checksum.h"
#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"
#include "limber/training/compress/convolution_tensors.h"
#include "limber/training/train/schedule.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// What the trained weights depend on: the layers, how they are trained, and the images.
std::string fingerprint_of(const NetworkConfig& config, const std::string& data_fingerprint) {
  const nlohmann::json json = network_config_to_json(config);
  const std::string text = nlohmann::json{
      {"layers", json.at("layers")},
      {"train", json.at("train")},
      {"data",
       data_fingerprint}}.dump();
  return checksum_of(std::as_bytes(std::span(text)));
}

/// Where training stands between two passes.
struct Position {
  std::int64_t epoch = 0;  ///< passes completed
  std::int64_t best_epoch = 0;
  double best_loss = std::numeric_limits<double>::infinity();
  std::map<std::string, torch::Tensor> best;  ///< parameters
};

/// The two files of a training run.
class Files {
 public:
  Files(const fs::path& folder, std::string fingerprint)
      : trained_(folder / "trained.safetensors"),
        training_(folder / "training.safetensors"),
        fingerprint_(std::move(fingerprint)) {}

  /// The place of the best epoch, with its weights in `network`.
  std::optional<std::int64_t> load_trained(ConvolutionNetwork& network) const {
    const auto file = open(trained_);
    if (!file) return std::nullopt;
    copy_tensors(*file, network.layers().parameters(), trained_);
    return whole_number(*file, "best_epoch", trained_);
  }

  std::optional<Position> load_training(ConvolutionNetwork& network) const {
    const auto file = open(training_);
    if (!file) return std::nullopt;
    copy_tensors(*file, network.state(), training_);
    Position position;
    position.epoch = whole_number(*file, "epoch", training_);
    position.best_epoch = whole_number(*file, "best_epoch", training_);
    const torch::Tensor best_loss = torch::zeros({1}, torch::kLong);
    NamedTensors best = {{"best_loss", best_loss}};
    for (const auto& [name, parameter] : network.layers().parameters()) {
      position.best[name] = torch::zeros_like(parameter.detach());
      best.emplace_back("best/" + name, position.best[name]);
    }
    copy_tensors(*file, best, training_);
    position.best_loss = best_loss.view(torch::kDouble).item<double>();
    return position;
  }

  void save_training(ConvolutionNetwork& network, const Position& position) const {
    NamedTensors tensors = network.state();
    for (const auto& [name, tensor] : position.best) tensors.emplace_back("best/" + name, tensor);
    // The bits of a double, as the file's types hold them: passes are compared by all of it.
    tensors.emplace_back("best_loss",
                         torch::tensor({position.best_loss}, torch::kDouble).view(torch::kLong));
    replace_safetensors(training_, tensors,
                        {{"fingerprint", fingerprint_},
                         {"epoch", std::to_string(position.epoch)},
                         {"best_epoch", std::to_string(position.best_epoch)}});
  }

  void save_trained(const Position& position) const {
    replace_safetensors(
        trained_, {position.best.begin(), position.best.end()},
        {{"fingerprint", fingerprint_}, {"best_epoch", std::to_string(position.best_epoch)}});
    std::error_code ignored;
    fs::remove(training_, ignored);
  }

 private:
  /// Nothing where the file is not there or belongs to another run.
  std::optional<SafetensorsFile> open(const fs::path& path) const {
    if (!fs::exists(path)) return std::nullopt;
    SafetensorsFile file = SafetensorsFile::open(path);
    const auto found = file.metadata().find("fingerprint");
    if (found == file.metadata().end() || found->second != fingerprint_ || !has_checksum(file)) {
      spdlog::warn("{}: of other layers, training options or images; left aside", path.string());
      return std::nullopt;
    }
    check_safetensors(file, path);
    return file;
  }

  static std::int64_t whole_number(const SafetensorsFile& file, const std::string& name,
                                   const fs::path& path) {
    const auto found = file.metadata().find(name);
    if (found != file.metadata().end()) {
      const std::string& text = found->second;
      std::int64_t number = 0;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (code == std::errc() && end == text.data() + text.size() && number > 0) return number;
    }
    throw InputError("{}: is damaged; delete it, or pass --restart", path.string());
  }

  fs::path trained_, training_;
  std::string fingerprint_;
};

std::map<std::string, torch::Tensor> copies(const NamedTensors& tensors) {
  std::map<std::string, torch::Tensor> copied;
  for (const auto& [name, tensor] : tensors) copied[name] = tensor.detach().clone();
  return copied;
}

}  // namespace

ConvolutionTraining train_convolutions(ConvolutionNetwork& network, const NetworkConfig& config,
                                       const std::string& data_fingerprint,
                                       const fs::path& work_folder, bool restart,
                                       const std::function<bool()>& keep_going) {
  const Files files(work_folder, fingerprint_of(config, data_fingerprint));
  ConvolutionTraining training;
  const std::int64_t epochs = training.epochs = config.train.epochs;
  Position position;
  if (!restart) {
    if (const auto best_epoch = files.load_trained(network)) {
      training.best_epoch = *best_epoch;
      return training;
    }
    if (auto found = files.load_training(network)) position = std::move(*found);
  }

  const Stopwatch watch;
  Progress progress("training", static_cast<std::uint64_t>(epochs * network.steps_per_epoch()),
                    "steps");
  progress.set(static_cast<std::uint64_t>(position.epoch * network.steps_per_epoch()));
  CompressibleNetwork::Hooks hooks;
  hooks.after_step = [&](std::int64_t) { progress.add(1); };
  hooks.keep_going = [&] {
    training.stopped = training.stopped || !keep_going();
    return !training.stopped;
  };
  while (position.epoch < epochs) {
    const double rate =
        config.train.learning_rate * learning_rate_factor("cosine", 0, position.epoch, epochs);
    const double loss = network.train_epoch("training", position.epoch, rate, hooks);
    if (training.stopped) break;  // what this pass has done is done again
    const auto quality = network.validate();
    ++position.epoch;
    if (quality.loss < position.best_loss) {
      position.best_loss = quality.loss;
      position.best_epoch = position.epoch;
      position.best = copies(network.layers().parameters());
    }
    progress.note(fmt::format("loss {:.4f}, validation {:.4f}, accuracy {:.2f} %", loss,
                              quality.loss, 100 * quality.metric));
    files.save_training(network, position);
  }
  progress.finish();
  training.seconds = watch.seconds();
  if (training.stopped) return training;
  if (position.best.empty()) {
    throw InputError("{}: no epoch had a finite validation loss; lower train.learning_rate",
                     config.name);
  }
  const torch::NoGradGuard no_grad;
  for (auto& [name, parameter] : network.layers().parameters()) {
    parameter.detach().copy_(position.best.at(name));
  }
  network.forget_optimizer();
  files.save_trained(position);
  training.best_epoch = position.best_epoch;
  return training;
}

}  // namespace limber
