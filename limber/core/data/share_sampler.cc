#include "limber/core/data/share_sampler.h"

#include <numeric>

namespace limber {

ShareSampler::ShareSampler(const EpisodeSampler& whole, RankOf share, std::int64_t support_passes)
    : whole_(whole), share_(share), support_passes_(support_passes) {}

EpisodePlan ShareSampler::plan(std::int64_t i) const {
  const EpisodePlan whole = whole_.plan(i);
  EpisodePlan part;
  const auto take = [](const std::vector<std::int64_t>& from, std::int64_t begin, std::int64_t end,
                       std::vector<std::int64_t>& to) {
    to.insert(to.end(), from.begin() + begin, from.begin() + end);
  };
  if (whole.tasks.empty()) {
    const auto rows = static_cast<std::int64_t>(whole.query.size());
    take(whole.query, rows * share_.rank / share_.world_size,
         rows * (share_.rank + 1) / share_.world_size, part.query);
    return part;
  }
  std::vector<std::int64_t> costs;
  for (std::size_t t = 0; t < whole.tasks.size(); ++t) {
    costs.push_back(support_passes_ * (whole.support_offsets[t + 1] - whole.support_offsets[t]) +
                    whole.query_offsets[t + 1] - whole.query_offsets[t]);
  }
  const auto bounds = equal_shares(costs, share_.world_size);
  const auto first = static_cast<std::size_t>(bounds[static_cast<std::size_t>(share_.rank)]);
  const auto last = static_cast<std::size_t>(bounds[static_cast<std::size_t>(share_.rank) + 1]);
  for (std::size_t t = first; t < last; ++t) {
    take(whole.support, whole.support_offsets[t], whole.support_offsets[t + 1], part.support);
    take(whole.query, whole.query_offsets[t], whole.query_offsets[t + 1], part.query);
    part.close_task(whole.tasks[t]);
  }
  return part;
}

EpisodePlan RoundRobinSampler::plan(std::int64_t i) const {
  const std::int64_t at = i * share_.world_size + share_.rank;
  return at < whole_.batches() ? whole_.plan(at) : EpisodePlan();
}

std::vector<std::int64_t> equal_shares(const std::vector<std::int64_t>& costs, std::int64_t parts) {
  std::vector<std::int64_t> bounds = {0};
  const auto total =
      static_cast<double>(std::accumulate(costs.begin(), costs.end(), std::int64_t{0}));
  double passed = 0;
  for (std::size_t t = 0; t < costs.size(); ++t) {
    const auto cost = static_cast<double>(costs[t]);
    // A task belongs to the run in which its middle lies.
    while (static_cast<std::int64_t>(bounds.size()) < parts &&
           (passed + cost / 2) * static_cast<double>(parts) >=
               total * static_cast<double>(bounds.size())) {
      bounds.push_back(static_cast<std::int64_t>(t));
    }
    passed += cost;
  }
  bounds.resize(static_cast<std::size_t>(parts) + 1, static_cast<std::int64_t>(costs.size()));
  return bounds;
}

}  // namespace limber
