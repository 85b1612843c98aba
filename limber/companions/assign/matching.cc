#include "limber/companions/assign/matching.h"

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

using Graph = lemon::SmartDigraph;

/// Costs are whole numbers to LEMON, and no sum of them over a path may reach 2^61: its potentials
/// begin at 2^62 in 64 bits. Beyond 50 bits there would be nothing left of a double to tell apart.
int bits_of_costs(std::size_t nodes) {
  return std::min(50, 60 - static_cast<int>(std::bit_width(nodes)));
}

}  // namespace

struct Matching::Flow {
  Graph graph;
  std::vector<Graph::Arc> pair_arcs;
  Graph::NodeMap<int> supply{graph, 0};
  Graph::ArcMap<int> lower{graph, 0};
  Graph::ArcMap<int> upper{graph, 0};  ///< arcs that are added later start at 0, too
  Graph::ArcMap<std::int64_t> cost{graph, 0};
  std::unique_ptr<lemon::NetworkSimplex<Graph, int, std::int64_t>> simplex;
};

Matching::Matching(const Instance& instance)
    : instance_(instance), flow_(std::make_unique<Flow>()) {
  Graph& graph = flow_->graph;
  const auto add_nodes = [&](std::size_t count) {
    std::vector<Graph::Node> nodes(count);
    for (Graph::Node& node : nodes) node = graph.addNode();
    return nodes;
  };
  const auto positions = add_nodes(instance.positions.size());
  const auto candidates = add_nodes(instance.profile_of.size());
  const auto quotas = add_nodes(instance.quotas.size());
  const Graph::Node sink = graph.addNode();
  for (Position p = 0; p < instance.position_count(); ++p) {
    const Graph::Node from = positions[static_cast<std::size_t>(p)];
    flow_->supply[from] = 1;
    for (const Pair& pair : instance.pairs_of(p)) {
      flow_->pair_arcs.push_back(
          graph.addArc(from, candidates[static_cast<std::size_t>(pair.candidate)]));
    }
  }
  flow_->supply[sink] = -instance.position_count();
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const std::int32_t quota = instance.quotas.empty() ? kNone : instance.quota_of[c];
    const Graph::Node to = quota == kNone ? sink : quotas[static_cast<std::size_t>(quota)];
    flow_->upper[graph.addArc(candidates[c], to)] = 1;
  }
  for (std::size_t q = 0; q < quotas.size(); ++q) {
    const Graph::Arc arc = graph.addArc(quotas[q], sink);
    flow_->lower[arc] = instance.quotas[q].at_least;
    flow_->upper[arc] = instance.quotas[q].at_most;
  }
  flow_->simplex = std::make_unique<lemon::NetworkSimplex<Graph, int, std::int64_t>>(flow_->graph);
  if (!instance.quotas.empty()) flow_->simplex->lowerMap(flow_->lower);
}

Matching::~Matching() = default;

bool Matching::solve(std::span<const double> weights, Assignment& assignment) {
  // A pair costs what it weighs less than the heaviest of its position: as each position is filled
  // once, what all its weights have in common must not use up the digits.
  std::vector<double> losses(weights.size(), 0);
  double largest = 0;
  for (std::size_t p = 0; p + 1 < instance_.pair_starts.size(); ++p) {
    double heaviest = kForbidden;
    for (std::size_t i = instance_.pair_starts[p]; i < instance_.pair_starts[p + 1]; ++i) {
      if (weights[i] == kForbidden) continue;
      if (!std::isfinite(weights[i])) throw Error("matching: a weight is not finite");
      heaviest = std::max(heaviest, weights[i]);
    }
    for (std::size_t i = instance_.pair_starts[p]; i < instance_.pair_starts[p + 1]; ++i) {
      if (weights[i] == kForbidden) continue;
      losses[i] = heaviest - weights[i];
      if (!std::isfinite(losses[i])) throw Error("matching: weights are too far apart");
      largest = std::max(largest, losses[i]);
    }
  }
  // By powers of two, as a quotient may overflow: costs then are at most 2^bits.
  int exponent = 0;
  std::frexp(largest, &exponent);
  const int shift = bits_of_costs(static_cast<std::size_t>(flow_->graph.nodeNum())) - exponent;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    flow_->upper[flow_->pair_arcs[i]] = weights[i] == kForbidden ? 0 : 1;
    flow_->cost[flow_->pair_arcs[i]] = std::llround(std::ldexp(losses[i], shift));
  }
  // Supplies, too, each time: LEMON folds lower bounds into them, and only a run that finds a flow
  // takes that back.
  flow_->simplex->supplyMap(flow_->supply).upperMap(flow_->upper).costMap(flow_->cost);
  if (flow_->simplex->run() != flow_->simplex->OPTIMAL) return false;
  assignment.assign(instance_.positions.size(), kNone);
  std::size_t at = 0;
  for (Position p = 0; p < instance_.position_count(); ++p) {
    for (const Pair& pair : instance_.pairs_of(p)) {
      if (flow_->simplex->flow(flow_->pair_arcs[at++]) > 0) {
        assignment[static_cast<std::size_t>(p)] = pair.candidate;
      }
    }
  }
  return true;
}

std::vector<double> fitness_weights(const Instance& instance) {
  std::vector<double> weights;
  weights.reserve(instance.pairs.size());
  for (const Pair& pair : instance.pairs) weights.push_back(pair.fitness);
  return weights;
}

}  // namespace limber::assign
