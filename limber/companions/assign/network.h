#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace limber::assign {

/// A node of the network, numbered from 0.
using Node = std::int32_t;

/// One value of a protected attribute, numbered from 0 within its attribute.
using Group = std::int32_t;

/// Stands for "nobody": a vacant node's group, a free candidate's position.
inline constexpr std::int32_t kNone = -1;

/// An undirected network without weights, whose nodes' neighbours lie side by side in memory. A tie
/// that is given several times, or once in each direction, is one tie.
class Network {
 public:
  Network() = default;
  /// Ties are pairs of two different nodes below `nodes`; anything else is an Error.
  Network(Node nodes, std::vector<std::pair<Node, Node>> ties);

  Node size() const { return static_cast<Node>(starts_.size()) - 1; }
  std::int64_t ties() const { return static_cast<std::int64_t>(neighbours_.size()) / 2; }
  /// Ascending.
  std::span<const Node> neighbours(Node node) const {
    const auto at = static_cast<std::size_t>(node);
    return {neighbours_.data() + starts_[at], starts_[at + 1] - starts_[at]};
  }
  std::int64_t degree(Node node) const {
    return static_cast<std::int64_t>(neighbours(node).size());
  }

 private:
  std::vector<std::size_t> starts_ = {0};  ///< by node, and the end
  std::vector<Node> neighbours_;
};

}  // namespace limber::assign
