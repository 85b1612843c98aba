#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// One cross layer: full rank, low rank where `rank` > 0, and with attention in its bottleneck
/// where `tokens` > 0 (training/layers/cross.h and residual_cross.h say what they compute).
struct FrozenCrossLayer {
  std::int64_t rank = 0, tokens = 0;
  float scale = 1;  ///< of the attention's scores
  bool skip = false;
  AlignedFloats rows;              ///< [width, inner_width()], row-major: W, V, or V_v | V_q | V_k
  PackedMatrix first, first_back;  ///< that, and its transpose
  AlignedFloats up_rows;           ///< with a bottleneck: U^T [rank, width], row-major
  PackedMatrix up, up_back;        ///< that, and its transpose
  PackedMatrix own_up;             ///< low rank: the columns of U^T that are each candidate's own
  AlignedFloats bias;              ///< [width], padded
  AlignedFloats own_bias;          ///< low rank: the same columns of the bias

  /// Tensors NAME.*. `order[i]`: which column of the trained block column i here is.
  static FrozenCrossLayer load_plain(const DenseTensors& tensors, const std::string& name,
                                     std::int64_t rank, std::int64_t constant_width,
                                     const std::vector<std::int64_t>& order);
  static FrozenCrossLayer load_residual(const DenseTensors& tensors, const std::string& name,
                                        const CrossOptions& options,
                                        const std::vector<std::int64_t>& order);

  /// Width of the product with x.
  std::int64_t inner_width() const { return first.columns(); }
  /// What that product starts from: the bias of a full-rank layer, else null.
  const float* inner_start() const { return rank == 0 ? bias.data() : nullptr; }

  /// x_{l+1} = x_0 o (product of x_l) + x_l; all [count, width], padded. Columns of x_l from
  /// `begin` on are multiplied; `start` is what the others and inner_start() amount to.
  void apply(const float* x0, const float* x, std::int64_t begin, const float* start,
             std::int64_t count, Workspace& workspace, float* to) const;
};

/// Cross layers one after the other.
using CrossChain = std::vector<FrozenCrossLayer>;

/// The chain's output for x [rows, width], padded; x itself for an empty chain. Of the first layer,
/// columns from `begin` on are multiplied, and `start` is what the others amount to.
const float* apply(const CrossChain& chain, const float* x, std::int64_t width, std::int64_t begin,
                   const float* start, std::int64_t rows, Workspace& workspace);

/// to = left + right - base, `count` numbers: what two chains have added to the base, added.
void join_branches(const float* left, const float* right, const float* base, std::int64_t count,
                   float* to);

}  // namespace limber
