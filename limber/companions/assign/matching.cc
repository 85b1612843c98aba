#include "limber/companions/assign/matching.h"

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

#include <cmath>
#include <cstdint>

#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

using Graph = lemon::SmartDigraph;

/// Costs are whole numbers to LEMON. 36 bits leave room for sums over 2^26 nodes in 64.
constexpr double kLargestCost = 0x1.0p36;

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
  double largest = 0;
  for (const double weight : weights) {
    if (weight == kForbidden) continue;
    if (!std::isfinite(weight)) throw Error("matching: a weight is not finite");
    largest = std::max(largest, std::abs(weight));
  }
  const double scale = largest > 0 ? kLargestCost / largest : 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const bool allowed = weights[i] != kForbidden;
    flow_->upper[flow_->pair_arcs[i]] = allowed ? 1 : 0;
    flow_->cost[flow_->pair_arcs[i]] = allowed ? -std::llround(weights[i] * scale) : 0;
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
