#include "apps/compression_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "limber/training/evaluate/metrics_json.h"

namespace limber {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kMetrics = {"auc", "gauc", "log_loss"};
constexpr std::array<std::pair<const char*, const char*>, 4> kParts = {
    {{"tables", "tables"},
     {"vocabularies", "vocabularies"},
     {"dense", "dense weights"},
     {"whole", "whole artifact"}}};

double ratio_of(double before, double after) {
  return after > 0 ? before / after : 0;
}

json before_and_after(std::uint64_t before, std::uint64_t after) {
  return {{"before", before},
          {"after", after},
          {"ratio", ratio_of(static_cast<double>(before), static_cast<double>(after))}};
}

std::string readable_size(double bytes) {
  if (bytes < 1000) return fmt::format("{:.0f} B", bytes);
  const char* unit = "kB";
  bytes /= 1000;
  for (const char* next : {"MB", "GB", "TB"}) {
    if (bytes < 1000) break;
    bytes /= 1000;
    unit = next;
  }
  return fmt::format("{:.{}f} {}", bytes, bytes < 10 ? 2 : 1, unit);
}

/// "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string number(const json& value, bool sign) {
  if (!value.is_number()) return "-";
  return sign ? fmt::format("{:+.4f}", value.get<double>())
              : fmt::format("{:.4f}", value.get<double>());
}

std::string cell(const json& metric, bool sign) {
  std::string text = number(metric.at("value"), sign);
  if (metric.contains("low") && metric.at("low").is_number()) {
    text += fmt::format(" [{}, {}]", number(metric["low"], sign), number(metric["high"], sign));
  }
  return text;
}

std::string_view title_of(std::string_view key) {
  for (const MetricDescription& metric : metric_descriptions) {
    if (metric.key == key) return metric.title;
  }
  return key;
}

}  // namespace

json compression_json(const CompressionOutcome& outcome) {
  const CompressionResult& result = outcome.result;
  json layers = json::array();
  for (const CompressedWeight& weight : result.weights) {
    json layer{{"name", weight.name}};
    if (weight.groups > 0) {
      layer["groups"] = weight.groups;
      layer["kept"] = weight.kept_groups;
    }
    if (weight.codes.defined()) layer["scale"] = weight.scale;
    layers.push_back(std::move(layer));
  }
  json compression{{"from", outcome.from}, {"seconds", outcome.seconds}, {"layers", layers}};
  if (result.weights_before > 0) {
    compression["weights"] = before_and_after(static_cast<std::uint64_t>(result.weights_before),
                                              static_cast<std::uint64_t>(result.weights_after));
    compression["validation"] = {
        {"before",
         {{"log_loss", result.validation_before.loss}, {"auc", result.validation_before.metric}}},
        {"after",
         {{"log_loss", result.validation_after.loss}, {"auc", result.validation_after.metric}}}};
  }
  const ScoredRows &before = outcome.test_before.scored, &after = outcome.test_after.scored;
  for (std::size_t l = 0; l < after.labels.size(); ++l) {
    const ScoredRows first = before.of_label(l), second = after.of_label(l);
    json& label = compression["labels"][after.labels[l]];
    label["before"] = outcome.test_before.json.at("labels").at(after.labels[l]).at("metrics");
    label["difference"] = difference_to_json(
        bootstrap_difference(first.predictions(), second.predictions(), {},
                             {.resamples = outcome.resamples, .confidence = 0.95, .seed = 1}));
  }
  return compression;
}

json sizes_json(const CompressionOutcome& outcome) {
  const PartSizes &before = outcome.sizes_before, &after = outcome.sizes_after;
  return {{"tables", before_and_after(before.tables, after.tables)},
          {"vocabularies", before_and_after(before.vocabularies, after.vocabularies)},
          {"dense", before_and_after(before.dense, after.dense)},
          {"whole", before_and_after(before.whole, after.whole)}};
}

std::string compression_table(const json& metrics) {
  const json& compression = metrics.at("compression");
  std::string text = fmt::format("\n{:<16} {:>12} {:>12} {:>9}\n", "", "before", "after", "ratio");
  for (const auto& [key, title] : kParts) {
    const json& part = compression.at("sizes").at(key);
    const double before = part.at("before"), after = part.at("after");
    if (before == 0 && after == 0) continue;
    text += fmt::format("{:<16} {:>12} {:>12} {:>9.2f}\n", title, readable_size(before),
                        readable_size(after), part.at("ratio").get<double>());
  }
  if (compression.contains("weights")) {
    const json& weights = compression.at("weights");
    text += fmt::format("{:<16} {:>12} {:>12} {:>9.2f}\n", "number of these",
                        grouped(weights.at("before")), grouped(weights.at("after")),
                        weights.at("ratio").get<double>());
  }
  for (const auto& [label, quality] : compression.at("labels").items()) {
    const json& after = metrics.at("labels").at(label).at("metrics");
    text += fmt::format(
        "\ntest of '{}' (split: {}, {} rows, {} members)\n{:<16} {:<26} {:<26} {}\n", label,
        metrics.at("split").get<std::string>(), after.at("rows").dump(), after.at("groups").dump(),
        "", "before", "after", "difference, paired by member");
    for (const std::string_view name : kMetrics) {
      const std::string key(name);
      text += fmt::format("{:<16} {:<26} {:<26} {}\n", title_of(key),
                          cell(quality.at("before").at(key), false), cell(after.at(key), false),
                          cell(quality.at("difference").at(key), true));
    }
  }
  return text + "\n";
}

std::string weights_table(const std::vector<CompressibleWeight>& weights) {
  std::size_t width = 6;
  for (const CompressibleWeight& weight : weights) width = std::max(width, weight.name.size());
  std::string text =
      fmt::format("{:<{}}  {:>7} {:>7} {:>11}\n", "weight", width, "inputs", "outputs", "numbers");
  for (const CompressibleWeight& weight : weights) {
    std::string notes;
    if (weight.removable) notes = "  units can be removed";
    if (weight.hidden) notes += notes.empty() ? "  hidden" : ", hidden";
    text += fmt::format("{:<{}}  {:>7} {:>7} {:>11}{}\n", weight.name, width, weight.matrix.size(0),
                        weight.matrix.size(1),
                        grouped(static_cast<std::uint64_t>(weight.matrix.numel())), notes);
  }
  return text;
}

}  // namespace limber
