#pragma once

#include <cstdint>
#include <string>

#include "limber/core/config/options.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// The curves of some rows: [rows, FrozenCalibration::curve_width()], `row` floats apart; 0 where
/// all rows have the same.
struct Curves {
  const float* values = nullptr;
  std::int64_t row = 0;
};

/// Isotonic calibration of the logits (training/layers/isotonic.h).
class FrozenCalibration {
 public:
  /// Tensors NAME.*; `inputs_width`: columns of the calibration features.
  static FrozenCalibration load(const DenseTensors& tensors, const std::string& name,
                                const CalibrationOptions& options, std::int64_t labels,
                                std::int64_t inputs_width);

  /// By label the slopes of the buckets, and the shift.
  std::int64_t curve_width() const { return labels_ * (buckets_ + 1); }
  /// Whether rows have curves of their own, by their calibration features.
  bool by_row() const { return context_.inner() > 0; }
  /// The curve that all rows have; for !by_row().
  Curves common() const { return {base_.data(), 0}; }
  /// The curves of rows with these features, [rows, inputs width], padded.
  Curves curves(const float* inputs, std::int64_t rows, Workspace& workspace) const;

  /// Calibrates logits [rows, labels] in place. `slopes` [rows, labels], unless null: the curve's
  /// slope at each.
  void apply(const Curves& curves, std::int64_t rows, float* logits, float* slopes) const;

 private:
  std::int64_t labels_ = 0, buckets_ = 0;
  float range_ = 0, floor_ = 0;
  AlignedFloats raw_;     ///< [curve width]: w, and the shift
  AlignedFloats base_;    ///< [curve width]: slopes, and the shift
  PackedMatrix context_;  ///< [inputs width, curve width]
};

}  // namespace limber
