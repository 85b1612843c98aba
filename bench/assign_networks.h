#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limber/companions/assign/instance.h"
#include "limber/companions/assign/network.h"

namespace limber::bench {

/// A network whose nodes all have groups.
struct GroupedNetwork {
  std::string name;
  assign::Network network;
  std::vector<assign::Attribute> attributes;
};

/// Lazega's law firm: 71 lawyers, who works with whom; gender and office.
GroupedNetwork lazega(const std::filesystem::path& folder);

/// igraph's stochastic block model: two groups, a majority of 70%, ties more likely within.
GroupedNetwork block_model(assign::Node nodes, std::uint64_t seed);

/// igraph's preferential attachment (Barabasi and Albert 1999), `ties_each` ties for every new
/// node. Neighbours are made alike: a node takes the group of a random earlier neighbour with
/// probability 0.6, else a random one of three.
GroupedNetwork preferential_attachment(assign::Node nodes, int ties_each, std::uint64_t seed);

}  // namespace limber::bench
