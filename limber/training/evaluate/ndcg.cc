#include "limber/training/evaluate/ndcg.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/predictions.h"

namespace limber {
namespace {

double discount(std::size_t position) {
  return 1 / std::log2(static_cast<double>(position) + 1);
}

}  // namespace

double ndcg(std::span<const float> scores, std::span<const float> labels, std::size_t cutoff) {
  if (cutoff == 0) throw Error("ndcg: cutoff is 0, expected at least 1");
  const std::size_t rows = scores.size();
  const auto positives = static_cast<std::size_t>(std::count(labels.begin(), labels.end(), 1.0F));
  if (positives == 0 || positives == rows) return std::numeric_limits<double>::quiet_NaN();

  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });

  double gained = 0;
  for (std::size_t first = 0; first < std::min(rows, cutoff);) {
    double gain = 0;
    double discounts = 0;
    std::size_t last = first;
    for (; last < rows && scores[order[last]] == scores[order[first]]; ++last) {
      gain += labels[order[last]];
      if (last < cutoff) discounts += discount(last + 1);
    }
    gained += gain / static_cast<double>(last - first) * discounts;
    first = last;
  }
  double ideal = 0;
  for (std::size_t i = 0; i < std::min(positives, cutoff); ++i) ideal += discount(i + 1);
  return gained / ideal;
}

std::vector<double> group_ndcgs(std::span<const float> scores, std::span<const float> labels,
                                const GroupIndex& index, std::size_t cutoff) {
  std::vector<double> values(index.size());
  for_each_group(
      index, scores, labels, {},
      [&](std::size_t group, std::span<const float> some_scores, std::span<const float> some_labels,
          std::span<const float>) { values[group] = ndcg(some_scores, some_labels, cutoff); });
  return values;
}

GroupedNdcg mean_ndcg(std::span<const double> groups) {
  GroupedNdcg result;
  double sum = 0;
  for (const double value : groups) {
    if (std::isnan(value)) {
      ++result.skipped;
    } else {
      ++result.groups;
      sum += value;
    }
  }
  result.value = result.groups > 0 ? sum / static_cast<double>(result.groups)
                                   : std::numeric_limits<double>::quiet_NaN();
  return result;
}

GroupedNdcg mean_ndcg(std::span<const float> scores, std::span<const float> labels,
                      std::span<const std::int64_t> ids, std::size_t cutoff) {
  check_predictions({scores, labels, {}, ids});
  return mean_ndcg(group_ndcgs(scores, labels, GroupIndex(ids), cutoff));
}

}  // namespace limber
