#pragma once

#include <cstdint>
#include <vector>

#include "limber/serving/runtime/feature_rows.h"

namespace limber {

/// A member's recent interactions.
struct SupportRows {
  const RowSet* rows = nullptr;
  const float* labels = nullptr;   ///< [rows, labels], NaN = absent
  const float* weights = nullptr;  ///< [rows]; null: each counts once
  /// One row that shows the member's own features; what a meta block at member level reads of a
  /// member without interactions. May be null elsewhere.
  const RowSet* member = nullptr;
};

/// All that scoring needs of a member; what the store keeps.
struct MemberVector {
  /// [known_width]: the meta embedding, the support's statistics, the pooled history.
  std::vector<float> known;
  /// Pooling by candidate alone. Attention: key [dim], value [dim] and logarithm of the weight of
  /// each interaction that candidates attend to, [rows, 2 dim + 1]. Transformer: the interactions
  /// that are read as a sequence, [rows, dim], the latest last.
  std::vector<float> slots;

  /// As one array, known first.
  std::vector<float> joined() const {
    std::vector<float> all = known;
    all.insert(all.end(), slots.begin(), slots.end());
    return all;
  }
};

}  // namespace limber
