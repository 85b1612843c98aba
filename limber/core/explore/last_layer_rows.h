#pragma once

#include <cstddef>
#include <span>

namespace limber {

/// What a last layer's output stands for.
enum class LastLayerLabel {
  kNumber,  ///< y ~ N(w.z + offset, noise variance)
  kBinary,  ///< y ~ Bernoulli(sigmoid(w.z + offset)); shares between 0 and 1 count as both
};

/// Interactions as the last layer of one label sees them. Views of row-major arrays.
struct LastLayerRows {
  std::span<const double> inputs;   ///< z [rows, dim]; a constant 1 among them where w holds a bias
  std::span<const double> labels;   ///< y [rows]
  std::span<const double> weights;  ///< [rows]: how often a row counts; empty: once
  std::span<const double> offsets;  ///< [rows]: added to w.z, not learned; empty: 0

  std::size_t count() const { return labels.size(); }
  double weight(std::size_t row) const { return weights.empty() ? 1 : weights[row]; }
  double offset(std::size_t row) const { return offsets.empty() ? 0 : offsets[row]; }
};

/// No input, label, weight or offset may be larger in magnitude: their products must stay finite.
inline constexpr double kLargestLastLayerValue = 1e50;

/// Throws InputError where sizes do not fit together or a value is none that can be learned from.
void check_last_layer_rows(const LastLayerRows& rows, std::size_t dim, LastLayerLabel label);

}  // namespace limber
