#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "limber/core/artifact/artifact.h"
#include "limber/core/data/dataset.h"

namespace limber {

/// Wide popularity (LiRank, arXiv 2402.06859): what each value of one id feature adds
/// to the logits of the model beside it, fitted on recent interactions (docs/popularity.md).
///
///     logit = logit of the main model, calibrated + b[value of the feature]
///
/// It lies in the artifact as popularity.safetensors, and in the manifest's encoders under
/// "popularity" as {"feature": name, ...}. The artifact must outlive it.
struct Popularity {
  static constexpr const char* kFile = "popularity.safetensors";
  static constexpr const char* kTensor = "popularity";
  /// The artifact format from which on readers know of it.
  static constexpr std::uint64_t kFormat = 2;

  std::size_t feature = 0;  ///< of the layout; of kind id
  std::int64_t labels = 0;
  std::span<const float> values;  ///< [rows of the feature's embedding table, labels]; row 0: zeros

  /// b [labels] of a row of the embedding table.
  const float* of(std::int32_t index) const { return values.data() + index * labels; }

  /// That of an artifact whose layout this is; nothing where it has none. Throws InputError for one
  /// that does not fit the layout.
  static std::optional<Popularity> find(const Artifact& artifact, const InputLayout& layout);
};

/// Index in the layout of the id feature of that name. Throws InputError, naming `option` and what
/// it could be, for another kind, for one whose values have several rows (vocabulary: qr), and
/// where there is none.
std::size_t id_feature(const InputLayout& layout, const std::string& name,
                       const std::string& option);

/// Row of the embedding table that an id feature has in row `row` of the data set.
std::int32_t id_index(const Dataset& dataset, std::size_t feature, std::int64_t row);

}  // namespace limber
