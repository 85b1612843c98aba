#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "limber/training/evaluate/group_index.h"

namespace limber {

/// Normalised discounted cumulative gain of one list's best `cutoff` rows, gain = label and
/// discount 1 / log2(position + 1), positions from 1 (Järvelin and Kekäläinen 2002). Rows with
/// equal scores share their positions' mean discount, so the value does not depend on the order of
/// the rows (McSherry and Najork 2008). NaN when one class is missing: then every order is ideal or
/// none is. Row weights have no part in it.
double ndcg(std::span<const float> scores, std::span<const float> labels, std::size_t cutoff);

/// Mean over groups, each counting once.
struct GroupedNdcg {
  double value = 0;         ///< NaN when every group has one class only
  std::size_t groups = 0;   ///< groups with both classes
  std::size_t skipped = 0;  ///< groups with one class, which count nowhere
};

/// Each group's value, in the order of `index`; NaN for a group with one class. The caller has
/// checked the rows.
std::vector<double> group_ndcgs(std::span<const float> scores, std::span<const float> labels,
                                const GroupIndex& index, std::size_t cutoff);

/// NDCG from its groups.
GroupedNdcg mean_ndcg(std::span<const double> groups);

/// NDCG of rows whose member is `ids[row]`. Throws as check_predictions, and Error for cutoff 0.
GroupedNdcg mean_ndcg(std::span<const float> scores, std::span<const float> labels,
                      std::span<const std::int64_t> ids, std::size_t cutoff = 10);

}  // namespace limber
