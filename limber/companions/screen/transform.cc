#include "limber/companions/screen/transform.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"

namespace limber::screen {
namespace {

/// Counts of magnitudes on a logarithmic grid that covers all that parse_value lets through.
class Magnitudes {
 public:
  void add(double value) {
    const double magnitude = std::abs(value);
    if (!(magnitude > 0)) return;
    const double place = std::floor(std::log2(magnitude) * kPerOctave) + kHalf;
    ++counts_[static_cast<std::size_t>(std::clamp(place, 0.0, 2.0 * kHalf))];
    ++total_;
  }
  /// 1 when nothing was counted.
  double median() const {
    std::int64_t below = 0;
    for (std::size_t i = 0; i < counts_.size() && total_ > 0; ++i) {
      below += counts_[i];
      if (2 * below >= total_)
        return std::exp2((static_cast<double>(i) + 0.5 - kHalf) / kPerOctave);
    }
    return 1;
  }

 private:
  static constexpr int kPerOctave = 64;
  static constexpr int kHalf = 1100 * kPerOctave;
  std::vector<std::int64_t> counts_ = std::vector<std::int64_t>(2 * kHalf + 1, 0);
  std::int64_t total_ = 0;
};

void stop_if_asked() {
  if (stop_requested()) throw Error("stopped by a signal; nothing was written");
}

}  // namespace

double Transform::value(double x) const {
  return kind == Kind::kAsinh ? std::asinh(x / unit) : x;
}

Transform fit_transform(FeatureSource& source, Transform wanted, std::span<const int> positions) {
  if (wanted.kind != Transform::Kind::kAsinh) return wanted;
  Magnitudes magnitudes;
  FeatureBlock block;
  while (source.next(block)) {
    stop_if_asked();
    if (positions.empty()) {
      for (const double value : block.values) magnitudes.add(value);
      continue;
    }
    for (std::int64_t j = 0; j < block.features(); ++j) {
      const auto values = block.feature(j);
      for (const int i : positions) magnitudes.add(values[static_cast<std::size_t>(i)]);
    }
  }
  source.rewind();
  wanted.unit = magnitudes.median();
  return wanted;
}

std::vector<SampleScale> sample_scales(FeatureSource& source, const Transform& transform) {
  const std::size_t n = source.samples().size();
  std::vector<SampleScale> scales(n);
  if (!transform.standardize_samples) return scales;
  // Running mean and sum of squared deviations (Welford), feature after feature: one order, and no
  // digits lost to a large common level.
  std::vector<double> seen(n, 0.0);
  std::vector<double> means(n, 0.0);
  std::vector<double> squares(n, 0.0);
  FeatureBlock block;
  while (source.next(block)) {
    stop_if_asked();
    for (std::int64_t j = 0; j < block.features(); ++j) {
      const auto values = block.feature(j);
      for (std::size_t i = 0; i < n; ++i) {
        if (std::isnan(values[i])) continue;
        const double value = transform.value(values[i]);
        const double before = value - means[i];
        seen[i] += 1;
        means[i] += before / seen[i];
        squares[i] += before * (value - means[i]);
      }
    }
  }
  source.rewind();
  for (std::size_t i = 0; i < n; ++i) {
    const double variance = seen[i] > 0 ? squares[i] / seen[i] : 0;
    if (!(variance > 0)) {
      throw InputError(
          "{}: sample '{}' has no two different values and cannot be standardised; "
          "leave it out or use --normalize none",
          source.origin(), source.samples()[i]);
    }
    scales[i] = {.mean = means[i], .deviation = std::sqrt(variance)};
  }
  return scales;
}

void apply(const Transform& transform, std::span<const SampleScale> scales, FeatureBlock& block) {
  if (transform.kind == Transform::Kind::kNone && !transform.standardize_samples) return;
  for (std::int64_t j = 0; j < block.features(); ++j) {
    const auto values = block.feature(j);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = (transform.value(values[i]) - scales[i].mean) / scales[i].deviation;
    }
  }
}

Transform::Kind transform_kind(const std::string& word) {
  if (word == "none") return Transform::Kind::kNone;
  if (word == "asinh") return Transform::Kind::kAsinh;
  throw InputError("transform '{}': expected none or asinh", word);
}

nlohmann::json to_json(const Transform& transform) {
  return {{"kind", transform.kind == Transform::Kind::kAsinh ? "asinh" : "none"},
          {"unit", transform.unit},
          {"standardize_samples", transform.standardize_samples}};
}

Transform transform_from_json(const nlohmann::json& json) {
  Transform transform;
  transform.kind = transform_kind(json.at("kind").get<std::string>());
  transform.unit = json.at("unit").get<double>();
  transform.standardize_samples = json.at("standardize_samples").get<bool>();
  if (!(transform.unit > 0)) throw InputError("transform: unit must be above 0");
  return transform;
}

}  // namespace limber::screen
