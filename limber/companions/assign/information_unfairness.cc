#include "limber/companions/assign/information_unfairness.h"

#include <algorithm>
#include <limits>

namespace limber::assign {

InformationUnfairness::InformationUnfairness(const Network& network, Group groups)
    : DiversityMeasure(network, groups),
      size_(static_cast<std::size_t>(groups), 0),
      ties_(size_.size() * size_.size(), 0),
      walks_(ties_.size(), 0),
      neighbours_of_group_(size_.size() * static_cast<std::size_t>(network.size()), 0) {}

double InformationUnfairness::value() const {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (Group g = 0; g < groups(); ++g) {
    const std::int64_t people = size_[static_cast<std::size_t>(g)];
    // A walk of two ties that returns goes to a neighbour and back: one for each tie end.
    std::int64_t returning = 0;
    for (Group h = 0; h < groups(); ++h) returning += ties_[cell(g, h)];
    for (Group h = g; h < groups(); ++h) {
      const std::int64_t pairs = people * (size_[static_cast<std::size_t>(h)] - (g == h ? 1 : 0));
      if (pairs <= 0) continue;
      const std::int64_t walks = walks_[cell(g, h)] - (g == h ? returning : 0);
      const double flow = (kPassing * static_cast<double>(ties_[cell(g, h)]) +
                           kPassing * kPassing * static_cast<double>(walks)) /
                          static_cast<double>(pairs);
      low = std::min(low, flow);
      high = std::max(high, flow);
    }
  }
  return high > 0 ? -(high - low) / (high + low) : 0;
}

void InformationUnfairness::count(Node node, Group group, std::int32_t sign) {
  const auto groups = static_cast<std::size_t>(this->groups());
  const auto mine = static_cast<std::size_t>(group);
  for (const Node other : network().neighbours(node)) {
    std::int32_t* around = &neighbours_of_group_[static_cast<std::size_t>(other) * groups];
    const Group theirs = this->group(other);
    if (theirs != kNone) {
      ties_[cell(group, theirs)] += sign;
      ties_[cell(theirs, group)] += sign;
      // Walks with `other` in the middle are the outer product of its neighbours by group.
      for (std::size_t h = 0; h < groups; ++h) {
        if (h == mine) continue;
        walks_[mine * groups + h] += sign * around[h];
        walks_[h * groups + mine] += sign * around[h];
      }
      walks_[mine * groups + mine] += 2 * sign * around[mine] + 1;
    }
    around[mine] += sign;
  }
  const std::int32_t* around = &neighbours_of_group_[static_cast<std::size_t>(node) * groups];
  for (std::size_t g = 0; g < groups; ++g) {
    if (around[g] == 0) continue;
    for (std::size_t h = 0; h < groups; ++h) {
      walks_[g * groups + h] += sign * static_cast<std::int64_t>(around[g]) * around[h];
    }
  }
  size_[mine] += sign;
}

}  // namespace limber::assign
