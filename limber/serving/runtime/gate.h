#pragma once

#include <cstdint>
#include <string>

#include "limber/serving/runtime/dense_layer.h"

namespace limber {

/// Gate of a hidden layer: h' = sigmoid(h W_g + b_g) o h (training/layers/gate.h).
class FrozenGate {
 public:
  /// Tensors NAME.*; `kind` as in the config.
  static FrozenGate load(const DenseTensors& tensors, const std::string& name,
                         const std::string& kind, std::int64_t rank, std::int64_t width);

  /// Numbers a row of the scratch that scores() and adjoint() want.
  std::int64_t scratch_width() const { return second_.inner(); }
  /// h W_g + b_g [rows, width]; all matrices padded.
  void scores(const float* h, std::int64_t rows, float* scratch, float* to) const;
  /// h' from h and its scores; may be either's place.
  void open(const float* h, const float* scores, std::int64_t rows, float* to) const;
  /// The gradient of h from that of h', 0 where `relu` and h <= 0. Writes over `scores`.
  void adjoint(const float* h, float* scores, const float* gradient, bool relu, std::int64_t rows,
               float* scratch, float* to) const;

 private:
  std::int64_t width_ = 0;
  AlignedFloats diagonal_;             ///< [width], padded; empty for the others
  PackedMatrix first_, first_back_;    ///< full: W; low rank: its first factor
  PackedMatrix second_, second_back_;  ///< low rank: its second factor
  AlignedFloats bias_;                 ///< [width], padded
};

}  // namespace limber
