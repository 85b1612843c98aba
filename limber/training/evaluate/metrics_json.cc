#include "limber/training/evaluate/metrics_json.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace limber {
namespace {

nlohmann::json number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

nlohmann::json values_to_json(const MetricValues& values, const MetricIntervals* intervals) {
  nlohmann::json json = nlohmann::json::object();
  for (const MetricDescription& metric : metric_descriptions) {
    nlohmann::json& one = json[std::string(metric.key)];
    one["value"] = number(values.*metric.value);
    if (intervals != nullptr) {
      one["low"] = number(intervals->low.*metric.value);
      one["high"] = number(intervals->high.*metric.value);
    }
  }
  return json;
}

}  // namespace

nlohmann::json metrics_to_json(const RankingMetrics& metrics, const MetricIntervals* intervals) {
  nlohmann::json json = values_to_json(metrics, intervals);
  json["rows"] = metrics.rows;
  json["groups"] = metrics.groups;
  json["skipped_groups"] = metrics.skipped_groups;
  json["ndcg_cutoff"] = metrics.ndcg_cutoff;
  json["base_rate"] = number(metrics.base_rate);
  return json;
}

nlohmann::json difference_to_json(const MetricDifference& difference) {
  return values_to_json(difference.value, &difference.interval);
}

nlohmann::json slices_to_json(std::span<const Slice> slices) {
  nlohmann::json json = nlohmann::json::array();
  for (const Slice& slice : slices) {
    const bool open = slice.to == std::numeric_limits<std::int64_t>::max();
    json.push_back({{"label", slice.label},
                    {"from", slice.from},
                    {"to", open ? nlohmann::json(nullptr) : nlohmann::json(slice.to)},
                    {"metrics", metrics_to_json(slice.metrics, &slice.intervals)}});
  }
  return json;
}

nlohmann::json reliability_to_json(std::span<const ReliabilityBin> curve) {
  nlohmann::json json = nlohmann::json::array();
  for (const ReliabilityBin& bin : curve) {
    json.push_back({{"predicted", number(bin.predicted)},
                    {"observed", number(bin.observed)},
                    {"rows", bin.rows}});
  }
  return json;
}

}  // namespace limber
