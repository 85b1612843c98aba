#include "apps/network_report.h"

#include <fmt/format.h>

#include <string>

#include "limber/companions/crossbar/published.h"
#include "limber/training/compress/convolution_accuracy.h"

namespace limber {
namespace {

using nlohmann::json;

std::int64_t count(const torch::Tensor& flags) {
  return flags.sum().item<std::int64_t>();
}

json accuracy_json(const torch::Tensor& right, const CompressibleNetwork::Quality& quality) {
  const Interval interval = wilson_interval(count(right), right.size(0));
  return {{"value", quality.metric},
          {"low", interval.low},
          {"high", interval.high},
          {"loss", quality.loss}};
}

json quality_json(const CompressibleNetwork::Quality& quality) {
  return {{"accuracy", quality.metric}, {"loss", quality.loss}};
}

double ratio(std::int64_t before, std::int64_t after) {
  return after > 0 ? static_cast<double>(before) / static_cast<double>(after) : 0;
}

std::string percent(const json& share) {
  return fmt::format("{:.2f} %", 100 * share.get<double>());
}

void print_sizes(const json& sizes) {
  fmt::print("{:<12} {:>10} {:>10} {:>6} {:>10}\n", "layer", "weights", "left", "bits", "bytes");
  for (const json& layer : sizes.at("layers")) {
    fmt::print("{:<12} {:>10} {:>10} {:>6} {:>10}\n", layer.at("name").get<std::string>(),
               layer.at("weights_before").get<std::int64_t>(),
               layer.at("weights_after").get<std::int64_t>(), layer.at("bits").get<std::int64_t>(),
               layer.at("bytes").get<std::int64_t>());
  }
  fmt::print("weights          {:>8} -> {:>6}   {:.2f} times fewer\n",
             sizes.at("weights_before").get<std::int64_t>(),
             sizes.at("weights_after").get<std::int64_t>(), sizes.at("weight_ratio").get<double>());
  fmt::print("weights x bits                       {:.2f} times fewer\n",
             sizes.at("bit_ratio").get<double>());
  fmt::print("bytes, with biases {:>6} -> {:>6}   {:.2f} times fewer\n\n",
             sizes.at("bytes_before").get<std::int64_t>(),
             sizes.at("bytes_after").get<std::int64_t>(), sizes.at("byte_ratio").get<double>());
}

void print_accuracy(const json& report) {
  const json& accuracy = report.at("accuracy");
  fmt::print("accuracy on {} test images, intervals of 95 %\n",
             report.at("images").at("test").get<std::int64_t>());
  for (const char* when : {"before", "after"}) {
    const json& one = accuracy.at(when);
    fmt::print("  {:<10} {}   [{}, {}]\n", when, percent(one.at("value")), percent(one.at("low")),
               percent(one.at("high")));
  }
  const json& difference = accuracy.at("difference");
  fmt::print(
      "  {:<10} {:+.2f} points   [{:+.2f}, {:+.2f}], paired; p = {:.3f} (McNemar): {} right "
      "before alone, {} after alone\n\n",
      "difference", 100 * difference.at("value").get<double>(),
      100 * difference.at("low").get<double>(), 100 * difference.at("high").get<double>(),
      difference.at("p_value").get<double>(), difference.at("only_before").get<std::int64_t>(),
      difference.at("only_after").get<std::int64_t>());
}

void print_crossbars(const json& crossbars) {
  const json& total = crossbars.at("total");
  fmt::print("crossbars of {} x {} cells of {} bits (estimates; before: {} bits a weight)\n",
             crossbars.at("rows").get<std::int64_t>(), crossbars.at("columns").get<std::int64_t>(),
             crossbars.at("cell_bits").get<std::int64_t>(),
             crossbars.at("bits_before").get<std::int64_t>());
  fmt::print("  {:<28} {:>12} {:>12} {:>12}\n", "", "weights", "area", "power");
  fmt::print("  {:<28} {:>11.2f}x {:>12} {:>12}\n", "this network",
             total.at("weight_compression").get<double>(),
             fmt::format("-{}", percent(total.at("area_reduction"))),
             fmt::format("-{}", percent(total.at("power_reduction"))));
  for (const crossbar::PublishedResult& published : crossbar::kPublished) {
    fmt::print("  {:<28} {:>11.2f}x {:>12} {:>12}\n",
               fmt::format("{}, arXiv 1908.11691", published.network), published.weight_compression,
               fmt::format("-{:.2f} %", 100 * published.area_reduction),
               fmt::format("-{:.2f} %", 100 * published.power_reduction));
  }
  fmt::print(
      "  not the same measurement: a small network, a small data set, and our cost constants\n");
  if (crossbars.contains("chips")) {
    const json& chips = crossbars.at("chips");
    fmt::print("  accuracy of {} chips drawn at random: mean {}, worst {}, best {}\n",
               chips.at("values").size(), percent(chips.at("mean")), percent(chips.at("minimum")),
               percent(chips.at("maximum")));
  }
  fmt::print("\n");
}

}  // namespace

json comparison_json(const NetworkConfig& config, const ImageData& data,
                     const NetworkComparison& comparison) {
  const torch::Tensor& before = comparison.right_before;
  const torch::Tensor& after = comparison.right_after;
  const PairedAccuracy paired{before.size(0), count(before.logical_and(after.logical_not())),
                              count(after.logical_and(before.logical_not()))};
  const Interval interval = paired.interval();
  const AdmmOptions& admm = config.compress.admm;
  return {{"name", config.name},
          {"images",
           {{"train", data.train.size()},
            {"validation", data.validation.size()},
            {"test", data.test.size()}}},
          {"accuracy",
           {{"before", accuracy_json(before, comparison.before)},
            {"after", accuracy_json(after, comparison.after)},
            {"difference",
             {{"value", paired.difference()},
              {"low", interval.low},
              {"high", interval.high},
              {"p_value", paired.p_value()},
              {"only_before", paired.only_first},
              {"only_after", paired.only_second}}}}},
          {"validation",
           {{"before", quality_json(comparison.result.validation_before)},
            {"after", quality_json(comparison.result.validation_after)}}},
          {"training",
           {{"epochs", comparison.training.epochs},
            {"best_epoch", comparison.training.best_epoch},
            {"seconds", comparison.training.seconds}}},
          {"compression",
           {{"epochs", admm.epochs},
            {"retrain_epochs", admm.retrain_epochs},
            {"bits", config.compress.bits},
            {"structure", config.compress.structure},
            {"seconds", comparison.result.seconds}}}};
}

json sizes_json(const StoredNetwork& stored) {
  json layers = json::array();
  for (const StoredLayer& layer : stored.layers) {
    layers.push_back({{"name", layer.name},
                      {"weights_before", layer.weights_before},
                      {"weights_after", layer.weights_after},
                      {"bits", layer.bits},
                      {"bytes", layer.bytes}});
  }
  return {{"layers", std::move(layers)},
          {"weights_before", stored.weights_before()},
          {"weights_after", stored.weights_after()},
          {"weight_ratio", ratio(stored.weights_before(), stored.weights_after())},
          {"bit_ratio", stored.bit_ratio()},
          {"bytes_before", stored.bytes_before},
          {"bytes_after", stored.bytes_after},
          {"byte_ratio", ratio(stored.bytes_before, stored.bytes_after)}};
}

void print_network_report(const json& report) {
  fmt::print("\n");
  print_sizes(report.at("sizes"));
  print_accuracy(report);
  print_crossbars(report.at("crossbars"));
}

}  // namespace limber
