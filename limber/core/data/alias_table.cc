#include "limber/core/data/alias_table.h"

#include <cstddef>
#include <numeric>

namespace limber {

AliasTable::AliasTable(std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> share(weights.size());
  std::vector<std::int64_t> small;
  std::vector<std::int64_t> large;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    share[i] = weights[i] / sum * static_cast<double>(weights.size());
    entries_.push_back({1, static_cast<std::int64_t>(i)});
    (share[i] < 1 ? small : large).push_back(static_cast<std::int64_t>(i));
  }
  // Each small column is filled up by a large one. What remains has share 1 but for rounding.
  while (!small.empty() && !large.empty()) {
    const std::int64_t poor = small.back();
    const std::int64_t rich = large.back();
    small.pop_back();
    entries_[static_cast<std::size_t>(poor)] = {share[static_cast<std::size_t>(poor)], rich};
    double& left = share[static_cast<std::size_t>(rich)];
    left -= 1 - share[static_cast<std::size_t>(poor)];
    if (left < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
}

}  // namespace limber
