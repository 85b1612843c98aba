#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "limber/companions/assign/network.h"
#include "limber/core/base/error.h"

namespace limber::assign {

using Matrix = std::vector<std::vector<double>>;

/// The ties between filled nodes.
inline Matrix adjacency(const Network& network, const std::vector<Group>& groups) {
  const auto count = groups.size();
  Matrix matrix(count, std::vector<double>(count, 0));
  for (std::size_t a = 0; a < count; ++a) {
    for (const Node b : network.neighbours(static_cast<Node>(a))) {
      const auto other = static_cast<std::size_t>(b);
      if (groups[a] != kNone && groups[other] != kNone) matrix[a][other] = 1;
    }
  }
  return matrix;
}

// The definitions, written down anew and without any shortcut.

inline double naive_assortativity(const Matrix& ties, const std::vector<Group>& groups,
                                  Group kinds) {
  const auto count = static_cast<std::size_t>(kinds);
  Matrix mixing(count, std::vector<double>(count, 0));
  double all = 0;
  for (std::size_t a = 0; a < groups.size(); ++a) {
    for (std::size_t b = 0; b < groups.size(); ++b) {
      if (ties[a][b] == 0) continue;
      mixing[static_cast<std::size_t>(groups[a])][static_cast<std::size_t>(groups[b])] += 1;
      all += 1;
    }
  }
  if (all == 0) return 0;
  double trace = 0, by_chance = 0;
  for (std::size_t g = 0; g < count; ++g) {
    double row = 0, column = 0;
    for (std::size_t h = 0; h < count; ++h) {
      row += mixing[g][h] / all;
      column += mixing[h][g] / all;
    }
    trace += mixing[g][g] / all;
    by_chance += row * column;
  }
  if (1 - by_chance < 1e-12) return -1;
  return -std::abs((trace - by_chance) / (1 - by_chance));
}

inline double naive_cross_ties(const Matrix& ties, const std::vector<Group>& groups, Group) {
  double cross = 0, all = 0;
  for (std::size_t a = 0; a < groups.size(); ++a) {
    for (std::size_t b = 0; b < groups.size(); ++b) {
      all += ties[a][b];
      if (groups[a] != groups[b]) cross += ties[a][b];
    }
  }
  return all == 0 ? 0 : cross / all;
}

inline double naive_exposure(const Matrix& ties, const std::vector<Group>& groups, Group) {
  double sum = 0, nodes = 0;
  for (std::size_t a = 0; a < groups.size(); ++a) {
    double cross = 0, all = 0;
    for (std::size_t b = 0; b < groups.size(); ++b) {
      all += ties[a][b];
      if (groups[a] != groups[b]) cross += ties[a][b];
    }
    if (all == 0) continue;
    sum += cross / all;
    nodes += 1;
  }
  return nodes == 0 ? 0 : sum / nodes;
}

inline double naive_unfairness(const Matrix& ties, const std::vector<Group>& groups, Group kinds) {
  const std::size_t count = groups.size();
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (Group g = 0; g < kinds; ++g) {
    for (Group h = 0; h < kinds; ++h) {
      double flow = 0, pairs = 0;
      for (std::size_t a = 0; a < count; ++a) {
        for (std::size_t b = 0; b < count; ++b) {
          if (a == b || groups[a] != g || groups[b] != h) continue;
          pairs += 1;
          flow += 0.5 * ties[a][b];
          for (std::size_t via = 0; via < count; ++via) flow += 0.25 * ties[a][via] * ties[via][b];
        }
      }
      if (pairs == 0) continue;
      low = std::min(low, flow / pairs);
      high = std::max(high, flow / pairs);
    }
  }
  return high > 0 ? -(high - low) / (high + low) : 0;
}

using Naive = std::function<double(const Matrix&, const std::vector<Group>&, Group)>;

inline Naive naive_of(std::string_view name) {
  if (name == "assortativity") return naive_assortativity;
  if (name == "cross-ties") return naive_cross_ties;
  if (name == "exposure") return naive_exposure;
  if (name == "information-unfairness") return naive_unfairness;
  throw Error("no definition of {}: write one down here", name);
}

}  // namespace limber::assign
