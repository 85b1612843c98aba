#include "limber/companions/assign/instance.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace limber::assign {

const Pair* Instance::find(Position position, Candidate candidate) const {
  const std::span<const Pair> row = pairs_of(position);
  const auto at =
      std::lower_bound(row.begin(), row.end(), candidate,
                       [](const Pair& pair, Candidate value) { return pair.candidate < value; });
  return at != row.end() && at->candidate == candidate ? &*at : nullptr;
}

void set_profiles(Instance& instance, const std::vector<std::vector<Group>>& groups) {
  std::map<std::vector<Group>, std::int32_t> known;
  instance.profiles.clear();
  instance.profile_of.clear();
  for (const std::vector<Group>& profile : groups) {
    const auto [at, is_new] = known.emplace(profile, static_cast<std::int32_t>(known.size()));
    if (is_new) instance.profiles.push_back(profile);
    instance.profile_of.push_back(at->second);
  }
}

void set_pairs(Instance& instance, std::vector<PositionedPair> pairs) {
  std::sort(pairs.begin(), pairs.end(), [](const PositionedPair& a, const PositionedPair& b) {
    return std::tie(a.position, a.candidate) < std::tie(b.position, b.candidate);
  });
  instance.pairs.clear();
  instance.pair_starts.assign(instance.positions.size() + 1, 0);
  for (const PositionedPair& pair : pairs) {
    instance.pairs.push_back({pair.candidate, pair.fitness});
    ++instance.pair_starts[static_cast<std::size_t>(pair.position) + 1];
  }
  for (std::size_t p = 1; p < instance.pair_starts.size(); ++p) {
    instance.pair_starts[p] += instance.pair_starts[p - 1];
  }
}

Instance with_relative_fitness(Instance instance) {
  for (std::size_t p = 0; p + 1 < instance.pair_starts.size(); ++p) {
    const std::span row(instance.pairs.data() + instance.pair_starts[p],
                        instance.pair_starts[p + 1] - instance.pair_starts[p]);
    if (row.empty()) continue;
    const double fittest =
        std::max_element(row.begin(), row.end(), [](const Pair& a, const Pair& b) {
          return a.fitness < b.fitness;
        })->fitness;
    for (Pair& pair : row) pair.fitness -= fittest;
  }
  return instance;
}

void fix_assignments(Instance& instance, std::span<const Candidate> fixed) {
  std::vector<Position> home(instance.profile_of.size(), kNone);
  for (std::size_t p = 0; p < fixed.size(); ++p) {
    if (fixed[p] != kNone) home[static_cast<std::size_t>(fixed[p])] = static_cast<Position>(p);
  }
  std::vector<PositionedPair> kept;
  for (Position p = 0; p < instance.position_count(); ++p) {
    const Candidate only = fixed[static_cast<std::size_t>(p)];
    for (const Pair& pair : instance.pairs_of(p)) {
      const Position elsewhere = home[static_cast<std::size_t>(pair.candidate)];
      if (only != kNone ? pair.candidate == only : elsewhere == kNone) {
        kept.push_back({p, pair.candidate, pair.fitness});
      }
    }
  }
  set_pairs(instance, std::move(kept));
}

}  // namespace limber::assign
