#include "limber/core/data/percentile_label.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

PercentileLabel::PercentileLabel(std::string name, LabelExpression expression, std::size_t which,
                                 std::size_t value, std::vector<std::size_t> clusters,
                                 const fs::path& folder)
    : name_(std::move(name)),
      expression_(std::move(expression)),
      which_(which),
      value_(value),
      views_(std::move(clusters)),
      stem_(folder / ("raw_percentile." + std::to_string(which))),
      raw_values_(stem_.string() + ".values"),
      raw_clusters_(stem_.string() + ".clusters") {}

void PercentileLabel::read(const std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
  at = value_;
  number_ = views[at].number(i);
  cluster_.clear();
  for (const std::size_t view : views_) {
    at = view;
    views[at].is_null(i) ? cluster_.add_missing() : cluster_.add(views[at].key(i));
  }
}

std::int32_t PercentileLabel::number_of(const std::string& cluster) {
  const auto [place, added] =
      clusters_.try_emplace(cluster, static_cast<std::int32_t>(clusters_.size()));
  if (added) names_.push_back(&place->first);
  return place->second;
}

void PercentileLabel::store() {
  raw_values_.append(number_);
  raw_clusters_.append(number_of(cluster_.close()));
}

void PercentileLabel::save() {
  map();
  nlohmann::json names = nlohmann::json::array();
  for (const std::string* name : names_) names.push_back(*name);
  write_file_atomic(stem_.string() + ".names", names.dump());
}

void PercentileLabel::append(const fs::path& folder) {
  const std::string stem = folder / stem_.filename();
  std::vector<std::int32_t> ours;
  for (const auto& name : nlohmann::json::parse(read_file(stem + ".names"))) {
    ours.push_back(number_of(name.get<std::string>()));
  }
  const MappedFile values = MappedFile::open(stem + ".values");
  const MappedFile clusters = MappedFile::open(stem + ".clusters");
  raw_values_.append(values.as<double>());
  for (const std::int32_t number : clusters.as<std::int32_t>()) {
    raw_clusters_.append(ours[static_cast<std::size_t>(number)]);
  }
}

void PercentileLabel::map() {
  if (std::exchange(mapped_, true)) return;
  values_ = raw_values_.finish();
  cluster_of_ = raw_clusters_.finish();
}

ClusterThresholds PercentileLabel::measure(std::span<const std::int64_t> order,
                                           std::span<const std::uint8_t> trains) {
  map();
  const auto values = std::as_const(values_).as<double>();
  const auto cluster_of = std::as_const(cluster_of_).as<std::int32_t>();
  const auto for_each_training_value = [&](auto use) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto row = static_cast<std::size_t>(order[i]);
      if (trains[i] != 0 && !std::isnan(values[row])) {
        use(static_cast<std::size_t>(cluster_of[row]), values[row]);
      }
    }
  };
  // The training values cluster by cluster, in a file as all that is as long as the log.
  std::vector<std::size_t> next(names_.size() + 1, 0);
  for_each_training_value([&](std::size_t cluster, double) { ++next[cluster + 1]; });
  for (std::size_t c = 1; c < next.size(); ++c) next[c] += next[c - 1];
  const std::vector<std::size_t> begin = next;
  if (begin.back() == 0) throw InputError("data.labels.{}: no training row has it", name_);
  const fs::path path = stem_.string() + ".training";
  MappedFile file = MappedFile::create(path, begin.back() * sizeof(double));
  const std::span<double> sorted = file.as<double>();
  for_each_training_value(
      [&](std::size_t cluster, double value) { sorted[next[cluster]++] = value; });

  ClusterThresholds measured;
  measured.percentile = expression_.percentile();
  measured.by = expression_.clusters();
  const auto threshold = [&](std::size_t first, std::size_t last) -> ClusterThresholds::Threshold {
    return {percentile_of(sorted.subspan(first, last - first), measured.percentile),
            static_cast<std::int64_t>(last - first)};
  };
  for (std::size_t c = 0; c < names_.size() && !views_.empty(); ++c) {
    if (static_cast<std::int64_t>(begin[c + 1] - begin[c]) < ClusterThresholds::kFewestRows) {
      continue;
    }
    measured.clusters[*names_[c]] = threshold(begin[c], begin[c + 1]);
  }
  measured.all = threshold(0, sorted.size());
  fs::remove(path);
  return measured;
}

void PercentileLabel::evaluate(const ClusterThresholds& thresholds,
                               std::span<const std::int64_t> order, std::span<float> labels,
                               std::size_t stride) {
  map();
  const auto values = std::as_const(values_).as<double>();
  const auto cluster_of = std::as_const(cluster_of_).as<std::int32_t>();
  std::vector<double> threshold_of;
  for (const std::string* name : names_) threshold_of.push_back(thresholds.of(*name));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto row = static_cast<std::size_t>(order[i]);
    labels[i * stride + which_] =
        std::isnan(values[row])
            ? std::numeric_limits<float>::quiet_NaN()
            : expression_.compare(values[row],
                                  threshold_of[static_cast<std::size_t>(cluster_of[row])]);
  }
  fs::remove(stem_.string() + ".values");
  fs::remove(stem_.string() + ".clusters");
}

}  // namespace limber
