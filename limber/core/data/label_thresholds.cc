#include "limber/core/data/label_thresholds.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "limber/core/base/error.h"

namespace limber {
namespace {

constexpr std::int64_t kUnits = 10000;  // of a percent
constexpr std::int64_t kWhole = 100 * kUnits;

std::string spelled(std::int64_t percentile, const std::vector<std::string>& by) {
  const std::string number = fmt::format("p{}", static_cast<double>(percentile) / kUnits);
  return by.empty() ? number : fmt::format("{} by {}", number, fmt::join(by, ", "));
}

nlohmann::json to_json(const ClusterThresholds::Threshold& threshold) {
  return {{"threshold", threshold.value}, {"rows", threshold.rows}};
}

ClusterThresholds::Threshold threshold_of(const nlohmann::json& json) {
  return {json.at("threshold"), json.at("rows")};
}

}  // namespace

double percentile_of(std::span<double> values, std::int64_t percentile) {
  const auto count = static_cast<std::int64_t>(values.size());
  const std::int64_t rank = (count * percentile + kWhole - 1) / kWhole;
  const auto place = values.begin() + std::max<std::int64_t>(rank - 1, 0);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

void ClusterName::add(const Key& key) {
  if (text_.size() > 1) text_ += ',';
  if (key.is_number) {
    fmt::format_to(std::back_inserter(text_), "{}", key.number);
  } else if (std::ranges::all_of(key.text, [](unsigned char letter) {
               return letter >= ' ' && letter < 127 && letter != '"' && letter != '\\';
             })) {
    text_ += '"';
    text_ += key.text;
    text_ += '"';
  } else {
    text_ +=
        nlohmann::json(key.text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

void ClusterName::add_missing() {
  text_ += text_.size() > 1 ? ",null" : "null";
}

const std::string& ClusterName::close() {
  text_ += ']';
  return text_;
}

const ClusterThresholds& thresholds_of(const LabelThresholds& thresholds, const std::string& label,
                                       const LabelExpression& expression) {
  const std::string asked = spelled(expression.percentile(), expression.clusters());
  const auto found = thresholds.find(label);
  if (found == thresholds.end()) {
    throw InputError(
        "data.labels.{}: {} has thresholds that training measures, and the model was trained "
        "without them; train it anew",
        label, asked);
  }
  const ClusterThresholds& stored = found->second;
  if (stored.percentile != expression.percentile() || stored.by != expression.clusters()) {
    throw InputError(
        "data.labels.{}: {} has thresholds that training measures, and the model was trained with "
        "{}; train it anew",
        label, asked, spelled(stored.percentile, stored.by));
  }
  return stored;
}

nlohmann::json to_json(const LabelThresholds& thresholds) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [label, measured] : thresholds) {
    nlohmann::json clusters = nlohmann::json::array();
    for (const auto& [name, threshold] : measured.clusters) {
      nlohmann::json cluster = to_json(threshold);
      cluster["values"] = nlohmann::json::parse(name);
      clusters.push_back(std::move(cluster));
    }
    json[label] = {{"percentile", static_cast<double>(measured.percentile) / kUnits},
                   {"by", measured.by},
                   {"all", to_json(measured.all)},
                   {"clusters", std::move(clusters)}};
  }
  return json;
}

LabelThresholds label_thresholds_of(const nlohmann::json& layout) {
  LabelThresholds thresholds;
  const auto stored = layout.find("label_thresholds");
  if (stored == layout.end()) return thresholds;
  for (const auto& [label, json] : stored->items()) {
    ClusterThresholds& measured = thresholds[label];
    measured.percentile = std::llround(json.at("percentile").get<double>() * kUnits);
    measured.by = json.at("by").get<std::vector<std::string>>();
    measured.all = threshold_of(json.at("all"));
    for (const auto& cluster : json.at("clusters")) {
      measured.clusters[cluster.at("values").dump()] = threshold_of(cluster);
    }
  }
  return thresholds;
}

}  // namespace limber
