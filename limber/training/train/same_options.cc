#include "limber/training/train/same_options.h"

#include <array>
#include <nlohmann/json.hpp>

#include "limber/core/base/error.h"
#include "limber/core/config/config.h"

namespace limber {
namespace {

using nlohmann::json;

/// What weights do not depend on.
constexpr std::array free_options = {"min_count", "max_values", "dropout", "score"};

bool is_free(const std::string& key) {
  for (const char* option : free_options) {
    if (key == option) return true;
  }
  return false;
}

class Comparison {
 public:
  explicit Comparison(const std::string& label) : label_(label) {}

  /// `now` and `before` are what stands at `path` in both configs.
  void compare(const json& now, const json& before, const std::string& path) const {
    if (!now.is_object() || !before.is_object()) {
      if (now != before) differ(path, now.dump(), before.dump());
      return;
    }
    for (const auto& [key, value] : now.items()) {
      const auto other = before.find(key);
      // An option that the model's Limber did not have: it had the default, which changes nothing.
      if (other == before.end() || is_free(key)) continue;
      // Names in a map of groups are the user's own: one that is absent has no default.
      if (key == "groups" && value != *other) differ(path + "." + key, value.dump(), other->dump());
      compare(value, *other, path + "." + key);
    }
  }

  void compare_features(const Config& now, const Config& before) const {
    const auto names = [](const Config& config) {
      json list = json::array();
      for (const FeatureOptions& feature : config.features) list.push_back(feature.name);
      return list;
    };
    if (names(now) != names(before)) differ("features", names(now).dump(), names(before).dump());
    const json own = config_to_json(now).at("features");
    const json other = config_to_json(before).at("features");
    for (std::size_t f = 0; f < now.features.size(); ++f) {
      compare(own.at(f), other.at(f), "features." + now.features[f].name);
    }
  }

  void compare_labels(const Config& now, const Config& before) const {
    const auto names = [](const Config& config) {
      json list = json::array();
      for (const auto& [name, expression] : config.data.labels) list.push_back(name);
      return list;
    };
    if (names(now) != names(before)) differ("data.labels", names(now).dump(), names(before).dump());
  }

 private:
  [[noreturn]] void differ(const std::string& path, const std::string& now,
                           const std::string& before) const {
    throw InputError(
        "{}: {} in the config, {} in {}, and the weights depend on it; take the model's, or train "
        "anew without --from",
        path, now, before, label_);
  }

  const std::string& label_;
};

}  // namespace

void check_same_options(const Config& now, const Config& before, const std::string& label) {
  const Comparison comparison(label);
  comparison.compare_labels(now, before);
  comparison.compare_features(now, before);
  const json own = config_to_json(now), other = config_to_json(before);
  comparison.compare(own.at("model"), other.at("model"), "model");
  if (!now.model.meta_block.enabled) return;
  const auto compare_meta = [&](const std::string& option) {
    const json &given = own.at("meta"), &stored = other.at("meta");
    if (stored.contains(option))
      comparison.compare(given.at(option), stored.at(option), "meta." + option);
  };
  compare_meta("inner_learning_rate");
  compare_meta("shrinkage");
  // What is fixed is what it says; what is learned only began there.
  if (now.meta.inner_learning_rate == "fixed") compare_meta("inner_learning_rate_start");
  if (now.meta.shrinkage == "fixed") compare_meta("shrinkage_start");
}

}  // namespace limber
