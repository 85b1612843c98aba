#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "limber/companions/screen/estimate.h"
#include "limber/companions/screen/linear_rule.h"
#include "limber/companions/screen/transform.h"
#include "limber/companions/screen/tuning.h"

namespace limber::screen {

inline constexpr std::string_view kModelKind = "limber-screen-model";
inline constexpr int kModelVersion = 1;

/// What tells one set of feature names from another, whatever their order: the sum of 64-bit
/// hashes.
class NameFingerprint {
 public:
  void add(std::string_view name);
  std::uint64_t value() const { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

/// A fitted rule with what a report says of it. Arrays are by kept feature, in rank order.
struct ScreenModel {
  std::vector<std::string> classes;
  std::vector<std::int64_t> class_samples;
  RuleKind kind = RuleKind::kTwoClasses;
  Transform transform;
  std::vector<double> intercepts;  ///< [directions]
  std::vector<double> priors;      ///< [classes], what a sample without a value gets
  double fdr = 0.05;
  std::int64_t selected = 0;  ///< features selected at that rate
  Tuning tuning;
  bool tuned = false;
  Estimate estimate;
  std::uint64_t fingerprint = 0;  ///< of all features' names

  std::vector<std::string> names;
  std::vector<double> centers, scales;
  std::vector<double> weights;  ///< [features, directions]
  /// [features, directions]: what the intercepts hold of each feature is -weight * offset, and is
  /// taken back where its value is missing.
  std::vector<double> offsets;
  std::vector<double> effects;  ///< [features, directions]: theta-hat
  std::vector<double> zs;       ///< [features, directions]
  std::vector<double> zeros;    ///< [features, directions]: probability of theta = 0

  std::size_t directions() const { return intercepts.size(); }
};

/// Atomically. Throws Error.
void save_model(const ScreenModel& model, const std::filesystem::path& path);

/// Reads what save_model wrote, checked in full. Throws InputError: see FramedReader.
ScreenModel load_model(const std::filesystem::path& path);

std::string_view rule_name(RuleKind kind);
/// "joint" and "one-versus-rest"; throws InputError for another word.
RuleKind rule_kind_of(const std::string& word);
/// "all", "fdr" or a number, for tables.
std::string size_name(std::int64_t features);

}  // namespace limber::screen
