#include "limber/companions/assign/layout.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "limber/core/base/random.h"

namespace limber::assign {
namespace {

constexpr int kRounds = 250;

/// Positions whose turn it is bring up to an equal share of `most` neighbours along.
std::vector<Node> choose(const Instance& instance, std::size_t most, std::size_t positions) {
  const Network& network = instance.network;
  std::vector<Node> chosen;
  std::vector<bool> taken(static_cast<std::size_t>(network.size()), false);
  const auto take = [&](Node node) {
    if (taken[static_cast<std::size_t>(node)] || chosen.size() >= most) return;
    taken[static_cast<std::size_t>(node)] = true;
    chosen.push_back(node);
  };
  for (std::size_t p = 0; p < positions; ++p) take(instance.positions[p]);
  for (std::size_t p = 0; p < positions; ++p) {
    const auto row = network.neighbours(instance.positions[p]);
    std::vector<Node> neighbours(row.begin(), row.end());
    std::stable_sort(neighbours.begin(), neighbours.end(),
                     [&](Node a, Node b) { return network.degree(a) > network.degree(b); });
    const std::size_t share = (most - positions) / positions;
    for (std::size_t i = 0; i < std::min(neighbours.size(), share); ++i) take(neighbours[i]);
  }
  return chosen;
}

/// Repulsion between all, attraction along ties, a pull to the middle that keeps loose parts near.
void relax(Layout& layout) {
  const std::size_t count = layout.points.size();
  const double ideal = std::sqrt(1.0 / static_cast<double>(count));
  std::vector<Point> force(count);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < count; ++i) {
      force[i] = {0.5 - layout.points[i].x, 0.5 - layout.points[i].y};
    }
    const auto pull = [&](std::size_t i, std::size_t j, double strength) {
      const double x = strength * (layout.points[i].x - layout.points[j].x);
      const double y = strength * (layout.points[i].y - layout.points[j].y);
      force[i].x += x, force[i].y += y;
      force[j].x -= x, force[j].y -= y;
    };
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = i + 1; j < count; ++j) {
        const double x = layout.points[i].x - layout.points[j].x;
        const double y = layout.points[i].y - layout.points[j].y;
        pull(i, j, ideal * ideal / std::max(x * x + y * y, 1e-6));
      }
    }
    for (const auto& [i, j] : layout.ties) {
      const double distance = std::hypot(layout.points[i].x - layout.points[j].x,
                                         layout.points[i].y - layout.points[j].y);
      pull(i, j, -distance / ideal);
    }
    const double most = 0.1 * (1 - static_cast<double>(round) / kRounds);
    for (std::size_t i = 0; i < count; ++i) {
      const double length = std::max(std::hypot(force[i].x, force[i].y), 1e-12);
      const double step = std::min(length, most) / length;
      layout.points[i].x += force[i].x * step;
      layout.points[i].y += force[i].y * step;
    }
  }
}

void fit_into_square(std::vector<Point>& points) {
  const double infinity = std::numeric_limits<double>::infinity();
  Point low{infinity, infinity}, high{-infinity, -infinity};
  for (const Point& point : points) {
    low = {std::min(low.x, point.x), std::min(low.y, point.y)};
    high = {std::max(high.x, point.x), std::max(high.y, point.y)};
  }
  for (Point& point : points) {
    point.x = high.x > low.x ? (point.x - low.x) / (high.x - low.x) : 0.5;
    point.y = high.y > low.y ? (point.y - low.y) / (high.y - low.y) : 0.5;
  }
}

}  // namespace

Layout lay_out(const Instance& instance, std::size_t most) {
  Layout layout;
  const auto all = static_cast<std::size_t>(instance.network.size());
  layout.whole = all <= most;
  layout.positions = instance.positions.size();
  if (layout.whole) {
    layout.nodes.resize(all);
    std::iota(layout.nodes.begin(), layout.nodes.end(), Node{0});
  } else {
    layout.positions = std::min(layout.positions, most / 8 + 1);
    layout.nodes = choose(instance, most, layout.positions);
  }
  std::vector<std::size_t> place(all, most);
  for (std::size_t i = 0; i < layout.nodes.size(); ++i) {
    place[static_cast<std::size_t>(layout.nodes[i])] = i;
  }
  Random random(1);
  for (std::size_t i = 0; i < layout.nodes.size(); ++i) {
    layout.points.push_back({random.uniform(), random.uniform()});
    for (const Node other : instance.network.neighbours(layout.nodes[i])) {
      const std::size_t j = place[static_cast<std::size_t>(other)];
      if (j < most && i < j) layout.ties.emplace_back(i, j);
    }
  }
  relax(layout);
  fit_into_square(layout.points);
  return layout;
}

}  // namespace limber::assign
