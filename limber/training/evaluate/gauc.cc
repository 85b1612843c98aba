#include "limber/training/evaluate/gauc.h"

#include <cmath>
#include <limits>

#include "limber/training/evaluate/auc.h"
#include "limber/training/evaluate/predictions.h"

namespace limber {

std::vector<GroupAuc> group_aucs(std::span<const float> scores, std::span<const float> labels,
                                 std::span<const float> weights, const GroupIndex& index) {
  std::vector<GroupAuc> groups(index.size());
  for_each_group(index, scores, labels, weights,
                 [&](std::size_t group, std::span<const float> some_scores,
                     std::span<const float> some_labels, std::span<const float> some_weights) {
                   GroupAuc& one = groups[group];
                   one.value = SortedRows(some_scores, some_labels, some_weights).auc();
                   if (std::isnan(one.value)) return;
                   for (std::size_t i = 0; i < some_scores.size(); ++i) {
                     one.weight += weight_of(some_weights, i);
                   }
                 });
  return groups;
}

GroupedAuc gauc(std::span<const GroupAuc> groups) {
  GroupedAuc result;
  double sum = 0;
  double weight = 0;
  for (const GroupAuc& group : groups) {
    if (!(group.weight > 0)) {
      ++result.skipped;
      continue;
    }
    ++result.groups;
    sum += group.weight * group.value;
    weight += group.weight;
  }
  result.value = weight > 0 ? sum / weight : std::numeric_limits<double>::quiet_NaN();
  return result;
}

GroupedAuc gauc(std::span<const float> scores, std::span<const float> labels,
                std::span<const std::int64_t> ids, std::span<const float> weights) {
  check_predictions({scores, labels, weights, ids});
  return gauc(group_aucs(scores, labels, weights, GroupIndex(ids)));
}

}  // namespace limber
