#pragma once

#include "limber/serving/runtime/runtime_model.h"
#include "limber/serving/runtime/support_rows.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// What a member's support rows say beside the inner loop: the runtime's twin of training's
/// SupportContext. Pointers are into the workspace; null where the model has no such part.
struct SupportDescription {
  std::int64_t rows = 0;
  float evidence = 0;  ///< how many rows count, by weight
  float* x = nullptr;  ///< [rows, global block's width], padded: all inputs of the rows
  LogitParts parts;    ///< of the rows
  const float* statistics = nullptr;  ///< [statistics width], of all rows
  const float* history = nullptr;     ///< [history dim], mean pooling, of all rows
  const float* start = nullptr;       ///< [dim], of all rows
  /// x's member columns hold the same of each row without its own label; its embedding columns hold
  /// the row's start, or zeros.
};

/// Fills the description, and `result.slots` under attention pooling.
SupportDescription describe_support(const RuntimeModel& model, const SupportRows& support,
                                    Workspace& workspace, MemberVector& result);

/// Pools what `candidates` [rows, history inputs' width] attend to among `slots`, which is
/// MemberVector::slots; row i does not attend to slot i where `own_rows`. -> [rows, dim], `to_row`
/// floats apart.
void attend(const FrozenHistoryEncoder& history, const std::vector<float>& slots,
            const float* candidates, std::int64_t candidates_row, std::int64_t rows, bool own_rows,
            Workspace& workspace, float* to, std::int64_t to_row);

}  // namespace limber
