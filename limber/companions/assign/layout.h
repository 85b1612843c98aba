#pragma once

#include <vector>

#include "limber/companions/assign/instance.h"

namespace limber::assign {

struct Point {
  double x = 0, y = 0;  ///< in [0, 1]
};

/// The part of a network that is drawn, and where its nodes lie.
struct Layout {
  std::vector<Node> nodes;
  std::vector<Point> points;                              ///< by place in `nodes`
  std::vector<std::pair<std::size_t, std::size_t>> ties;  ///< places in `nodes`
  bool whole = true;                                      ///< all nodes are drawn
  std::size_t positions = 0;                              ///< the first so many are drawn
};

/// All of a network up to `most` nodes; of a larger one, the first open positions, at most an
/// eighth of `most`, with the best-connected of their neighbours, until there are `most`. Nodes are
/// placed by springs (Fruchterman and Reingold 1991); the same network always looks the same.
Layout lay_out(const Instance& instance, std::size_t most);

}  // namespace limber::assign
