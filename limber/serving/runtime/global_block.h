#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/serving/runtime/calibration.h"
#include "limber/serving/runtime/cross_layer.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/experts.h"
#include "limber/serving/runtime/gate.h"
#include "limber/serving/runtime/last_layer_posterior.h"
#include "limber/serving/runtime/quantized_matrix.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// What else reaches the logits of some rows.
struct LogitParts {
  const float* wide_logits = nullptr;          ///< [rows, labels], added; null without a wide part
  Curves curves;                               ///< where the block calibrates
  const LastLayerView* last_layers = nullptr;  ///< in place of the trained ones, where given
};

/// What the constant columns amount to in the first product of the block, bias included, and of the
/// crosses in parallel; null where there is no such product.
struct FirstShares {
  const float* product = nullptr;
  const float* parallel = nullptr;
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
  CrossChain crosses;   ///< plain ones, or those with attention
  CrossChain parallel;  ///< plain ones beside those with attention
  DenseStack mlp;
  std::vector<FrozenGate> gates;  ///< by layer of the mlp; or none
  /// By fully connected layer, where asked for: its weight in seven bits; empty for one whose zeros
  /// make it faster in floats.
  std::vector<QuantizedMatrix> quantized;
  /// Of the first layer the rows of each candidate's own columns alone: in seven bits where asked
  /// for, else without zeros where that is faster, or neither.
  QuantizedMatrix quantized_own;
  SparseMatrix sparse_own;
  std::optional<FrozenExperts> experts;
  AlignedFloats head;            ///< [labels, last width], rows padded; or experts
  std::vector<float> head_bias;  ///< [labels]
  std::int64_t wide_width = 0;
  AlignedFloats wide;            ///< [labels, wide width], rows padded
  std::vector<float> wide_bias;  ///< [labels]
  std::optional<FrozenCalibration> calibration;

  /// `order[i]`: which column of the trained block column i here is.
  static FrozenGlobalBlock load(const DenseTensors& tensors, const GlobalBlockOptions& options,
                                std::int64_t member_width, std::int64_t constant_width,
                                std::int64_t wide_width, std::int64_t calibration_width,
                                const std::vector<std::string>& labels,
                                const std::vector<std::int64_t>& order);

  /// logits [rows, labels] of x [rows, width], rows padded(width) apart.
  void forward(const float* x, std::int64_t rows, const LogitParts& parts, Workspace& workspace,
               float* logits) const;
  /// The same where the constant columns' shares are known; these columns must be filled all the
  /// same where there are cross layers.
  void forward_from(const float* x, const FirstShares& shares, std::int64_t rows,
                    const LogitParts& parts, Workspace& workspace, float* logits) const;
  /// The shares of the columns before constant_width of x, one row.
  FirstShares first_shares(const float* x, Workspace& workspace) const;
  /// logits from the output of fully connected layer `layer` - 1 before its gate, padded; from the
  /// crossed inputs for 0.
  void finish(const float* h, std::size_t layer, std::int64_t rows, const LogitParts& parts,
              Workspace& workspace, float* logits) const;
  /// Columns of what the last layers read.
  std::int64_t last_width() const { return experts ? experts->out() : mlp.out; }
  /// Lets scoring multiply the fully connected layers in seven bits from here on, but for those
  /// with so few rows left that floats without the zeros are faster. (Adaptation stays in floats:
  /// it follows gradients.)
  void quantize();

  /// Output of the first fully connected layer from the candidates' own columns [rows, width -
  /// constant_width] and from what all else amounts to: `start`, as Product's.
  void apply_first_to_own(const float* own, std::int64_t own_row, std::int64_t rows,
                          const float* start, std::int64_t start_row, Workspace& workspace,
                          float* to) const;

  /// logits of the wide inputs [rows, wide_width], rows padded(wide_width) apart.
  void forward_wide(const float* inputs, std::int64_t rows, float* logits) const;

 private:
  /// x through all crosses. Of x in the first products, columns from `begin` on are multiplied, and
  /// `shares` is what the others amount to.
  const float* cross(const float* x, const FirstShares& shares, std::int64_t begin,
                     std::int64_t rows, Workspace& workspace) const;
};

}  // namespace limber
