#include "limber/core/explore/last_layer_rows.h"

#include <cmath>
#include <string_view>

#include "limber/core/base/error.h"

namespace limber {
namespace {

bool usable(double value) {
  return std::abs(value) <= kLargestLastLayerValue;  // false for NaN, too
}

void check_size(std::string_view what, std::size_t size, std::size_t rows) {
  if (size != 0 && size != rows) {
    throw InputError("last layer: {} {} for {} rows", size, what, rows);
  }
}

}  // namespace

void check_last_layer_rows(const LastLayerRows& rows, std::size_t dim, LastLayerLabel label) {
  const std::size_t count = rows.count();
  if (rows.inputs.size() != count * dim) {
    throw InputError("last layer: {} input values for {} rows of {}", rows.inputs.size(), count,
                     dim);
  }
  check_size("weights", rows.weights.size(), count);
  check_size("offsets", rows.offsets.size(), count);
  for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
    if (!usable(rows.inputs[i])) {
      throw InputError("last layer: input {} of row {} is {}, not a finite number up to {}",
                       i % dim, i / dim, rows.inputs[i], kLargestLastLayerValue);
    }
  }
  for (std::size_t row = 0; row < count; ++row) {
    const double y = rows.labels[row];
    if (!usable(y)) {
      throw InputError("last layer: the label of row {} is {}, not a finite number up to {}", row,
                       y, kLargestLastLayerValue);
    }
    if (label == LastLayerLabel::kBinary && (y < 0 || y > 1)) {
      throw InputError("last layer: the label of row {} is {}; a binary label lies in [0, 1]", row,
                       y);
    }
    if (!usable(rows.weight(row)) || rows.weight(row) < 0) {
      throw InputError("last layer: the weight of row {} is {}; it must be a number from 0 to {}",
                       row, rows.weight(row), kLargestLastLayerValue);
    }
    if (!usable(rows.offset(row))) {
      throw InputError("last layer: the offset of row {} is {}, not a finite number up to {}", row,
                       rows.offset(row), kLargestLastLayerValue);
    }
  }
}

}  // namespace limber
