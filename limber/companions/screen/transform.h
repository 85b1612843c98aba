#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "limber/companions/screen/feature_source.h"

namespace limber::screen {

/// What is done to every value before anything else. No label is looked at.
struct Transform {
  enum class Kind {
    kNone,
    kAsinh,  ///< asinh(x / unit): linear near zero, logarithmic far from it, on both sides
  };
  Kind kind = Kind::kNone;
  double unit = 1;  ///< kAsinh: the median magnitude of the values that are not zero
  /// Shift and scale each sample so that its values have mean 0 and standard deviation 1: takes
  /// out what all features of a sample have in common, such as how much material there was.
  bool standardize_samples = false;

  double value(double x) const;
};

/// Mean and standard deviation of one sample over all features.
struct SampleScale {
  double mean = 0, deviation = 1;
};

/// Fits what `wanted` leaves open (the unit) in one pass over `source`, from the samples at
/// `positions` alone (empty: all), and rewinds it. Counts magnitudes on a grid of 64 an octave, so
/// that order and threads do not matter.
Transform fit_transform(FeatureSource& source, Transform wanted, std::span<const int> positions);

/// [samples] by one pass over `source`, which is rewound; identities where `transform` does not
/// standardise. Throws InputError for a sample whose values are all the same or missing.
std::vector<SampleScale> sample_scales(FeatureSource& source, const Transform& transform);

/// Applies `transform` and then `scales` to the values of `block`.
void apply(const Transform& transform, std::span<const SampleScale> scales, FeatureBlock& block);

/// "none", "asinh". Throws InputError for another word.
Transform::Kind transform_kind(const std::string& word);

nlohmann::json to_json(const Transform& transform);
/// Throws nlohmann's exceptions or InputError for what to_json did not write.
Transform transform_from_json(const nlohmann::json& json);

}  // namespace limber::screen
