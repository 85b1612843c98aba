#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "limber/training/evaluate/group_index.h"

namespace limber {

/// The share of one group in GAUC. A group with one class has no AUC: weight 0, value NaN.
struct GroupAuc {
  double value = 0;
  double weight = 0;  ///< the group's rows (the sum of their weights)
};

/// Grouped AUC: the mean of the groups' AUCs, each weighted by the group's rows (Zhu et al. 2017,
/// arXiv 1703.02091, weigh by impressions; so do we). It asks whether each member's own rows are
/// well ordered, which AUC over all rows blurs with differences between members.
struct GroupedAuc {
  double value = 0;         ///< NaN when every group has one class only
  std::size_t groups = 0;   ///< groups with both classes
  std::size_t skipped = 0;  ///< groups with one class, which count nowhere
};

/// The AUC of each group, in the order of `index`. The caller has checked the rows.
std::vector<GroupAuc> group_aucs(std::span<const float> scores, std::span<const float> labels,
                                 std::span<const float> weights, const GroupIndex& index);

/// GAUC from its groups.
GroupedAuc gauc(std::span<const GroupAuc> groups);

/// GAUC of rows whose member is `ids[row]`. Throws as check_predictions.
GroupedAuc gauc(std::span<const float> scores, std::span<const float> labels,
                std::span<const std::int64_t> ids, std::span<const float> weights = {});

}  // namespace limber
