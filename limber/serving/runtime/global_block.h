#pragma once

#include <cstdint>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/quantized_matrix.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// One cross layer (training/layers/cross.h says what it computes): full rank, or low rank where
/// `rank` > 0.
struct FrozenCrossLayer {
  std::int64_t rank = 0;
  AlignedFloats rows;              ///< W [width, width] or V [width, rank], row-major
  PackedMatrix first, first_back;  ///< that, and its transpose
  AlignedFloats up_rows;           ///< low rank: U^T [rank, width], row-major
  PackedMatrix up, up_back;        ///< low rank: that, and its transpose
  PackedMatrix own_up;             ///< low rank: the columns of U^T that are each candidate\'s own
  AlignedFloats bias;              ///< [width], padded
  AlignedFloats own_bias;          ///< low rank: the same columns of the bias

  /// Width of the product with x: `width`, or `rank`.
  std::int64_t inner_width() const { return first.columns(); }
};

/// Weights of the global block G([e ; x]; phi), with the columns of its input in the runtime's
/// order:
///
///     [ of the member | shared by a request's candidates | of each candidate ]
///
/// so that what is common to all candidates is one range of columns, in front.
struct FrozenGlobalBlock {
  std::int64_t member_width = 0;    ///< columns of the member
  std::int64_t constant_width = 0;  ///< those and the shared ones
  std::int64_t width = 0;           ///< all columns
  std::int64_t labels = 0;
  std::vector<FrozenCrossLayer> crosses;
  DenseStack mlp;
  /// By fully connected layer, where asked for: its weight in seven bits.
  std::vector<QuantizedMatrix> quantized;
  /// Of the first layer the rows of each candidate's own columns alone.
  QuantizedMatrix quantized_own;
  AlignedFloats head;            ///< [labels, last width], rows padded
  std::vector<float> head_bias;  ///< [labels]
  std::int64_t wide_width = 0;
  AlignedFloats wide;            ///< [labels, wide width], rows padded
  std::vector<float> wide_bias;  ///< [labels]

  /// `order[i]`: which column of the trained block column i here is.
  static FrozenGlobalBlock load(const DenseTensors& tensors, const GlobalBlockOptions& options,
                                std::int64_t member_width, std::int64_t constant_width,
                                std::int64_t wide_width, std::int64_t labels,
                                const std::vector<std::int64_t>& order);

  /// logits [rows, labels] of x [rows, width], rows padded(width) apart. `wide_logits` [rows,
  /// labels] is added; null without a wide part.
  void forward(const float* x, std::int64_t rows, const float* wide_logits, Workspace& workspace,
               float* logits) const;
  /// The same where `first` [first layer's width] is the share of the first product, bias included,
  /// that the constant columns have; they must be filled all the same where there are cross layers.
  void forward_from(const float* x, const float* first, std::int64_t rows, const float* wide_logits,
                    Workspace& workspace, float* logits) const;
  /// logits from the output of fully connected layer `layer` - 1, padded; from the crossed inputs
  /// for 0.
  void finish(const float* h, std::size_t layer, std::int64_t rows, const float* wide_logits,
              Workspace& workspace, float* logits) const;
  /// Lets scoring multiply the fully connected layers in seven bits from here on. (Adaptation stays
  /// in floats: it follows gradients.)
  void quantize();

  /// Output of the first fully connected layer from the candidates' own columns [rows, width -
  /// constant_width] and from what all else amounts to: `start`, as Product's.
  void apply_first_to_own(const float* own, std::int64_t own_row, std::int64_t rows,
                          const float* start, std::int64_t start_row, Workspace& workspace,
                          float* to) const;

  /// logits of the wide inputs [rows, wide_width], rows padded(wide_width) apart.
  void forward_wide(const float* inputs, std::int64_t rows, float* logits) const;

 private:
  /// x_{l+1} = x_0 o (product of x_l) + x_l. Columns of x_l from `begin` on are multiplied; `start`
  /// is what the others, and the bias of a full-rank layer, amount to.
  void cross(const FrozenCrossLayer& layer, const float* x0, const float* x, std::int64_t begin,
             const float* start, std::int64_t rows, Workspace& workspace, float* to) const;
};

}  // namespace limber
