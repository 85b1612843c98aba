#pragma once

#include <set>
#include <string>

#include "limber/core/config/options.h"
#include "limber/training/compress/compress_network.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

struct ShrunkModel {
  Config config;
  RankingModel model{nullptr};
  /// Weights whose numbers are no longer those of the model before: they lie on no levels.
  std::set<std::string> remade;
};

/// Whether units were removed, so that shrink_model makes another shape.
bool removes_units(const CompressionResult& result);

/// Takes the units that `result` does not keep out of the model: a config with smaller widths and a
/// model of that shape, with the columns and rows that stay. `model` is the masked one, whose
/// pruned units are 0; the two say the same of every row, but for rounding. They share their
/// embedding tables.
///
/// Experts of one layer share a width, as low-rank crosses share a rank: the widest decides, and
/// where another has fewer units it gets zeros in their place. A low-rank gate whose layer has
/// become narrower than its bottleneck gets the product of its two matrices and an identity.
ShrunkModel shrink_model(const Config& config, const RankingModel& model,
                         const CompressionResult& result);

}  // namespace limber
