#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "apps/network_crossbars.h"
#include "apps/network_report.h"
#include "apps/train_verbs.h"
#include "limber/core/artifact/version.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/folder_lock.h"
#include "limber/core/base/main.h"
#include "limber/training/compress/budget.h"
#include "limber/training/compress/compress_network.h"
#include "limber/training/compress/convolution_network.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

int list_weights(const NetworkConfig& config) {
  fmt::print("{:<16} {:>8} {:>8}  {}\n", "weight", "inputs", "outputs", "");
  for (const CompressibleWeight& weight : ConvolutionLayers(config).weights()) {
    fmt::print("{:<16} {:>8} {:>8}  {}\n", weight.name, weight.matrix.size(0),
               weight.matrix.size(1), weight.hidden ? "hidden" : "units stay");
  }
  return 0;
}

/// What cannot be met is said before anything is read or trained.
void check_budget(const NetworkConfig& config) {
  const Budget budget(ConvolutionLayers(config).weights(), config.compress);
  if (config.compress.target_ratio > 0) budget.share_for(config.compress.target_ratio);
}

/// Writes the folder and reads it again: what is reported is what was written.
StoredNetwork publish(const fs::path& models, const CompressedConvolutions& compressed,
                      const ConvolutionLayers& before, const CompressionResult& result,
                      const ImageData& data, const nlohmann::json& metrics) {
  StoredNetwork stored = write_convolution_folder(models, compressed, before, result, metrics);
  const CompressedConvolutions read = read_convolution_folder(stored.folder);
  if (!torch::equal(correct_images(read.layers, data.test),
                    correct_images(compressed.layers, data.test))) {
    throw Error("{}: the network reads otherwise than it was written", stored.folder.string());
  }
  return stored;
}

}  // namespace

int run_compress_network(const CompressArguments& arguments) {
  check_output_file("--metrics", arguments.metrics);
  check_output_file("--report", arguments.report);
  if (!arguments.scores.empty()) {
    throw InputError("--scores: a network of convolutions has none; leave it out");
  }
  const NetworkConfig config = load_network_config(arguments.model, arguments.settings);
  check_model_name(config.name);
  if (arguments.list) return list_weights(config);
  if (config.train.threads > 0) torch::set_num_threads(static_cast<int>(config.train.threads));
  const fs::path models = arguments.models.empty() ? "models" : arguments.models;
  const fs::path work_folder = models / config.name / ".compress";
  check_output_folder("--models", work_folder);
  const FolderLock lock(work_folder);
  check_budget(config);
  const ImageData data = read_images(config.images, config.layers.back().units);
  spdlog::info("{} to train on, {} to choose settings by, {} to test",
               counted(data.train.size(), "image"), data.validation.size(), data.test.size());

  ConvolutionLayers layers(config);
  ConvolutionNetwork network(layers, data, config.train);
  NetworkComparison comparison;
  comparison.training = train_convolutions(network, config, data.fingerprint, work_folder,
                                           arguments.restart, [] { return !stop_requested(); });
  if (comparison.training.stopped) {
    spdlog::warn("stopped; the same command goes on from there");
    return 130;
  }
  const ConvolutionLayers before = layers.without_units({});
  comparison.before = network.test();
  comparison.right_before = correct_images(before, data.test);

  comparison.result = compress_network(network, config.compress, work_folder, arguments.restart);
  if (comparison.result.stopped) {
    spdlog::warn("stopped; the same command goes on from there");
    return 130;
  }
  const CompressedConvolutions compressed = shrink(config, layers, comparison.result);
  comparison.after = ConvolutionNetwork::quality(compressed.layers, data.test);
  comparison.right_after = correct_images(compressed.layers, data.test);

  nlohmann::json report = comparison_json(config, data, comparison);
  const crossbar::CrossbarReport crossbars =
      network_crossbars(compressed, before, comparison.result, data.test);
  report["crossbars"] = crossbar::to_json(crossbars);
  const StoredNetwork stored = publish(models, compressed, before, comparison.result, data, report);
  forget_compression(work_folder);
  report["sizes"] = sizes_json(stored);
  print_network_report(report);
  fmt::print("published {}\n", stored.folder.string());
  if (!arguments.report.empty()) {
    crossbar::write_crossbar_report(arguments.report, crossbars);
    fmt::print("wrote {}\n", arguments.report);
  }
  if (!arguments.metrics.empty()) write_file_atomic(arguments.metrics, report.dump(2) + "\n");
  return 0;
}

}  // namespace limber
