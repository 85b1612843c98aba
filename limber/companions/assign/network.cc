#include "limber/companions/assign/network.h"

#include <algorithm>

#include "limber/core/base/error.h"

namespace limber::assign {

Network::Network(Node nodes, std::vector<std::pair<Node, Node>> ties) {
  for (auto& [from, to] : ties) {
    if (from < 0 || to < 0 || from >= nodes || to >= nodes || from == to) {
      throw Error("network: {} - {} is no tie between two of {} nodes", from, to, nodes);
    }
    if (from > to) std::swap(from, to);
  }
  std::sort(ties.begin(), ties.end());
  ties.erase(std::unique(ties.begin(), ties.end()), ties.end());
  starts_.assign(static_cast<std::size_t>(nodes) + 1, 0);
  for (const auto& [from, to] : ties) {
    ++starts_[static_cast<std::size_t>(from) + 1];
    ++starts_[static_cast<std::size_t>(to) + 1];
  }
  for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  neighbours_.resize(2 * ties.size());
  std::vector<std::size_t> next(starts_.begin(), starts_.end() - 1);
  // Ties are sorted by their smaller end: each node gets its smaller neighbours first, in order.
  for (const auto& [from, to] : ties) {
    neighbours_[next[static_cast<std::size_t>(to)]++] = from;
  }
  for (const auto& [from, to] : ties) {
    neighbours_[next[static_cast<std::size_t>(from)]++] = to;
  }
}

}  // namespace limber::assign
