#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "limber/core/base/nearest_word.h"
#include "limber/core/config/config.h"
#include "limber/core/config/config_node.h"

namespace limber {
namespace {

class Checker {
 public:
  Checker(const Config& config, const std::string& origin) : config_(config), origin_(origin) {
    for (const FeatureOptions& feature : config.features) names_.push_back(feature.name);
  }

  void check() const {
    check_names();
    for (const FeatureOptions& feature : config_.features) {
      if (feature.kind == "sequence") check_sequence(feature);
      if (has_values(feature) && feature.vocabulary == "qr") check_quotients(feature);
    }
    check_split();
    check_model();
  }

 private:
  [[noreturn]] void reject(const std::string& path, const std::string& message) const {
    fail(origin_, path, message);
  }

  const FeatureOptions* find(const std::string& name) const {
    for (const FeatureOptions& feature : config_.features) {
      if (feature.name == name) return &feature;
    }
    return nullptr;
  }

  void check_names() const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (std::find(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(i), names_[i]) !=
          names_.begin() + static_cast<std::ptrdiff_t>(i)) {
        reject("features", fmt::format("two are named {}; give each its own name", names_[i]));
      }
    }
  }

  void check_sequence(const FeatureOptions& feature) const {
    const std::string path = join_path(join_path("features", feature.name), "of");
    if (feature.of.empty()) {
      reject(path, "a sequence must say which id feature's values it is made of");
    }
    const FeatureOptions* source = find(feature.of);
    if (source == nullptr) {
      reject(path,
             fmt::format("no feature is named {}{}", feature.of, did_you_mean(feature.of, names_)));
    }
    if (source->kind != "id") {
      reject(path, fmt::format("{} is of kind {}; a sequence is made of an id feature", feature.of,
                               source->kind));
    }
    if (source->vocabulary == "qr") {
      reject(path, fmt::format("a value of {} has several rows (vocabulary: qr), and a sequence is "
                               "made of single ones; take another vocabulary for it",
                               feature.of));
    }
    if (config_.data.time.empty()) {
      reject("data.time", fmt::format("is required by the sequence {}: name the column that orders "
                                      "a member's interactions",
                                      feature.name));
    }
  }

  static bool has_values(const FeatureOptions& feature) {
    return feature.kind == "id" || feature.kind == "ids";
  }

  /// A half of a 64-bit hash cannot tell more pairs of rows apart than it has values.
  void check_quotients(const FeatureOptions& feature) const {
    constexpr std::int64_t kHalf = std::int64_t{1} << 32;
    if (feature.quotients <= kHalf / feature.remainders) return;
    reject(
        join_path(join_path("features", feature.name), "quotients"),
        fmt::format("{} quotients and {} remainders make more pairs than the {} values of half a "
                    "hash; with these remainders, {} quotients use them all",
                    feature.quotients, feature.remainders, kHalf, kHalf / feature.remainders));
  }

  void check_split() const {
    const DataOptions& data = config_.data;
    if (data.split == "chronological" && data.time.empty()) {
      reject("data.split", "chronological needs data.time; name that column, or split by random");
    }
    if (data.validation_share + data.test_share >= 1) {
      reject("data.test_share",
             fmt::format("{} and data.validation_share {} leave nothing to train on; their sum "
                         "must be below 1",
                         data.test_share, data.validation_share));
    }
  }

  void check_model() const {
    const ModelOptions& model = config_.model;
    constexpr bool kSequences = true;
    check_inputs("model.meta_block.inputs", model.meta_block.inputs, !kSequences);
    check_inputs("model.history.inputs", model.history.inputs, !kSequences);
    check_inputs("model.global_block.inputs", model.global_block.inputs, kSequences);
    check_inputs("model.global_block.wide", model.global_block.wide, kSequences);
    check_inputs("model.global_block.calibration.inputs", model.global_block.calibration.inputs,
                 kSequences);
    check_labels("model.score", keys_of(model.score));
    check_labels("train.label_weights", keys_of(config_.train.label_weights));
    for (const auto& [label, weight] : config_.train.label_weights) {
      if (weight > 0) continue;
      reject(
          join_path("train.label_weights", label),
          "0 would leave its head untrained, and members adapted to that; leave the label out of "
          "data.labels");
    }
    check_groups(model.global_block.experts);
    if (model.history.pooling == "transformer" && model.history.dim % model.history.heads != 0) {
      reject("model.history.heads", fmt::format("a width of {} (dim) cannot be cut into {} heads",
                                                model.history.dim, model.history.heads));
    }
    const CrossOptions& cross = model.global_block.cross;
    if (cross.kind == "residual" && cross.rank % cross.tokens != 0) {
      reject("model.global_block.cross.tokens",
             fmt::format("a bottleneck of {} (rank) cannot be cut into {} equal parts", cross.rank,
                         cross.tokens));
    }
    if (model.meta_block.enabled && model.meta_block.start == "history" && !model.history.enabled) {
      reject("model.meta_block.start", "history needs model.history.enabled: true");
    }
    if (model.meta_block.enabled && model.meta_block.start == "history" &&
        model.history.pooling != "mean") {
      reject("model.meta_block.start",
             fmt::format("history needs model.history.pooling: mean; with {} there is no history "
                         "without a candidate",
                         model.history.pooling));
    }
    // Without inputs of its own the history encoder reads those of the meta block.
    const bool uses_meta_inputs =
        model.meta_block.enabled || (model.history.enabled && model.history.inputs.empty());
    const bool only_sequences =
        std::all_of(config_.features.begin(), config_.features.end(),
                    [](const FeatureOptions& feature) { return feature.kind == "sequence"; });
    if (uses_meta_inputs && only_sequences) {
      reject("features", "all are sequences, so that the meta block has nothing to read");
    }
  }

  template <class T>
  static Words keys_of(const std::map<std::string, T>& values) {
    Words keys;
    for (const auto& [key, value] : values) keys.push_back(key);
    return keys;
  }

  void check_labels(const std::string& path, const Words& labels) const {
    const Words known = keys_of(config_.data.labels);
    for (const std::string& label : labels) {
      if (!config_.data.labels.contains(label)) {
        reject(join_path(path, label),
               fmt::format("no label has that name{}", did_you_mean(label, known)));
      }
    }
  }

  void check_groups(const ExpertOptions& experts) const {
    const std::string path = "model.global_block.experts.groups";
    if (experts.groups.empty()) return;
    if (experts.kind == "none") {
      reject(path, "needs model.global_block.experts.kind: groups, mmoe or ple");
    }
    std::map<std::string, std::string> group_of;
    for (const auto& [group, labels] : experts.groups) {
      check_labels(join_path(path, group), labels);
      for (const std::string& label : labels) {
        const auto [first, is_new] = group_of.try_emplace(label, group);
        if (!is_new) {
          reject(join_path(path, group), fmt::format("{} is in {}, too", label, first->second));
        }
      }
      if (labels.empty()) reject(join_path(path, group), "has no label");
    }
    for (const auto& [label, expression] : config_.data.labels) {
      if (!group_of.contains(label)) {
        reject(path, fmt::format("the label {} is in none; each must be in one", label));
      }
    }
  }

  void check_inputs(const std::string& path, const Words& inputs, bool sequences_allowed) const {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string& input = inputs[i];
      const FeatureOptions* feature = find(input);
      if (feature == nullptr) {
        reject(path, fmt::format("no feature is named {}{}", input, did_you_mean(input, names_)));
      }
      if (!sequences_allowed && feature->kind == "sequence") {
        reject(path, fmt::format("{} is a sequence, which only the global block can read", input));
      }
      if (std::count(inputs.begin(), inputs.end(), input) > 1) {
        reject(path, fmt::format("names {} twice", input));
      }
    }
  }

  const Config& config_;
  const std::string& origin_;
  std::vector<std::string> names_;
};

}  // namespace

void check_config(const Config& config, const std::string& origin) {
  Checker(config, origin).check();
}

}  // namespace limber
