#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/core/explore/last_layer_rows.h"

namespace limber {

/// Rows that own their arrays, with labels from a known last layer.
struct DrawnRows {
  std::vector<double> inputs, labels, weights, offsets, truth;

  LastLayerRows view() const {
    return {.inputs = inputs, .labels = labels, .weights = weights, .offsets = offsets};
  }
  /// `count` rows from row `first` on.
  LastLayerRows view(std::size_t first, std::size_t count) const {
    const LastLayerRows all = view();
    return {.inputs = all.inputs.subspan(first * truth.size(), count * truth.size()),
            .labels = all.labels.subspan(first, count),
            .weights = all.weights.subspan(first, count),
            .offsets = all.offsets.subspan(first, count)};
  }
  /// Z [rows, dim].
  Eigen::MatrixXd matrix() const {
    return Eigen::Map<const Eigen::Matrix<double, -1, -1, Eigen::RowMajor>>(
        inputs.data(), static_cast<Eigen::Index>(labels.size()),
        static_cast<Eigen::Index>(truth.size()));
  }
};

inline Eigen::Map<const Eigen::VectorXd> as_vector(const std::vector<double>& values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

inline DrawnRows draw_rows(std::size_t count, std::size_t dim, LastLayerLabel label,
                           Random& random) {
  DrawnRows rows;
  for (std::size_t i = 0; i < dim; ++i) rows.truth.push_back(random.normal());
  for (std::size_t row = 0; row < count; ++row) {
    double output = random.normal() / 2;
    rows.offsets.push_back(output);
    for (std::size_t i = 0; i < dim; ++i) {
      rows.inputs.push_back(random.normal());
      output += rows.inputs.back() * rows.truth[i];
    }
    rows.weights.push_back(static_cast<double>(random.below(4)) / 2);
    rows.labels.push_back(
        label == LastLayerLabel::kNumber
            ? output + random.normal()
            : static_cast<double>(random.uniform() < 1 / (1 + std::exp(-output))));
  }
  return rows;
}

}  // namespace limber
