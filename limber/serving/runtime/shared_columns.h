#pragma once

#include <array>
#include <cstdint>

#include "limber/serving/runtime/global_block.h"

namespace limber {

/// Scores the candidates of one request through low-rank crosses without ever forming the shared
/// columns of the crossed rows.
///
/// With l_t = V_t' x_t, column j of the rows that leave T crosses is, by the recursion
/// x_{t+1} = x_0 o (U_t l_t + b_t) + x_t (training/layers/cross.h),
///
///     x_T[j] = x_0[j] (1 + sum_t b_t[j] + sum_t U_t[j] . l_t),
///
/// and x_0[j] is the same for all candidates where column j is shared. What such columns add to the
/// next product is therefore a constant plus a linear map of (l_0, ..., l_{T-1}), and that map,
/// rank x outputs for each cross, is made once a request. A candidate then costs its own columns,
/// and rank x T more. (Limber's own derivation.)
class SharedColumns {
 public:
  /// Whether that is less work than the plain way, for so many candidates.
  static bool pays(const FrozenGlobalBlock& block, std::int64_t candidates);

  /// `shared` [block.constant_width]: the columns that the candidates share. Takes memory of
  /// `workspace`, which must not restart while this object is in use.
  SharedColumns(const FrozenGlobalBlock& block, const float* shared, Workspace& workspace);

  /// Output of the first fully connected layer [rows, its width], padded, from the candidates' own
  /// columns [rows, width - constant_width], rows padded apart.
  float* first_layer(const float* own, std::int64_t rows, Workspace& workspace) const;

 private:
  const FrozenGlobalBlock& block_;
  std::int64_t rank_, crosses_;
  static constexpr std::size_t kMostProducts = 17;  // the config allows 16 crosses
  /// By product, the crosses' and then the layer's: its constant [outputs], and its map
  /// [rank x crosses before it, outputs].
  std::array<float*, kMostProducts> constants_{}, maps_{};
};

}  // namespace limber
