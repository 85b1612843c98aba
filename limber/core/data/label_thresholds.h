#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/data/label_expression.h"

namespace limber {

/// The percentile of `values`, at least one, by nearest rank: of n values in ascending order the
/// one in place ceil(n percentile / 100), counted from 1. So at least that share of the values is
/// not above it, and it is one of them. `percentile` as LabelExpression's, in ten thousandths.
/// Reorders `values`.
double percentile_of(std::span<double> values, std::int64_t percentile);

/// The name of a cluster: the values of its columns as a JSON list, such as ["feed",3,null], null
/// for a missing one. The same for the same values, whether a log or a request held them.
class ClusterName {
 public:
  void clear() { text_ = "["; }
  void add(const Key& key);
  void add_missing();
  /// To be called when all values were added, and once.
  const std::string& close();

 private:
  std::string text_ = "[";
};

/// Where a label that is compared with a percentile turns from 0 to 1 in each cluster, measured on
/// training rows, stored in the artifact and used unchanged ever after.
struct ClusterThresholds {
  /// A cluster with fewer training rows than these has no threshold of its own.
  static constexpr std::int64_t kFewestRows = 100;

  struct Threshold {
    double value = 0;
    std::int64_t rows = 0;  ///< training rows that it was measured on
  };

  std::int64_t percentile = 0;  ///< in ten thousandths
  std::vector<std::string> by;
  Threshold all;  ///< over all training rows; also for clusters that are not listed
  std::map<std::string, Threshold, std::less<>> clusters;  ///< by name

  double of(std::string_view cluster) const {
    const auto found = clusters.find(cluster);
    return found == clusters.end() ? all.value : found->second.value;
  }
};

/// By label; of labels with a percentile alone.
using LabelThresholds = std::map<std::string, ClusterThresholds>;

/// The thresholds of a label whose expression has a percentile. Throws InputError where there are
/// none, and where they are of another percentile or other clusters: they follow from training
/// alone, whatever the config says afterwards.
const ClusterThresholds& thresholds_of(const LabelThresholds& thresholds, const std::string& label,
                                       const LabelExpression& expression);

/// What the manifest says under encoders.layout.label_thresholds.
nlohmann::json to_json(const LabelThresholds& thresholds);
/// The inverse, of the whole layout, which may have none. Throws nlohmann::json::exception.
LabelThresholds label_thresholds_of(const nlohmann::json& layout);

}  // namespace limber
