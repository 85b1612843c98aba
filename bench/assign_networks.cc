#include "bench/assign_networks.h"

#include <fmt/format.h>
#include <igraph.h>

#include <algorithm>
#include <fstream>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber::bench {
namespace {

using assign::Attribute;
using assign::Group;
using assign::Node;

/// igraph's own handler would end the program with a stack of C names.
void check(igraph_error_t code, const char* what) {
  if (code != IGRAPH_SUCCESS) throw Error("igraph: {}: {}", what, igraph_strerror(code));
}

/// Takes the ties out of an igraph graph and destroys it.
std::vector<std::pair<Node, Node>> ties_of(igraph_t& graph) {
  std::vector<std::pair<Node, Node>> ties;
  for (igraph_integer_t edge = 0; edge < igraph_ecount(&graph); ++edge) {
    igraph_integer_t from = 0, to = 0;
    check(igraph_edge(&graph, edge, &from, &to), "edge");
    if (from != to) ties.emplace_back(static_cast<Node>(from), static_cast<Node>(to));
  }
  igraph_destroy(&graph);
  return ties;
}

void seed_igraph(std::uint64_t seed) {
  igraph_set_error_handler(igraph_error_handler_ignore);
  check(igraph_rng_seed(igraph_rng_default(), seed), "seed");
}

Attribute named_groups(std::string name, int groups, Node nodes) {
  Attribute attribute;
  attribute.name = std::move(name);
  for (int g = 0; g < groups; ++g) attribute.groups.push_back(fmt::format("g{}", g + 1));
  attribute.of_node.assign(static_cast<std::size_t>(nodes), 0);
  return attribute;
}

}  // namespace

GroupedNetwork lazega(const std::filesystem::path& folder) {
  constexpr Node kLawyers = 71;
  const auto open = [&](const char* name) {
    std::ifstream stream(folder / name);
    if (!stream) throw InputError("{}: cannot be read", (folder / name).string());
    return stream;
  };
  GroupedNetwork result;
  result.name = "lazega";
  result.attributes = {named_groups("gender", 2, kLawyers), named_groups("office", 3, kLawyers)};
  std::ifstream attributes = open("ELattr.dat");
  for (std::size_t node = 0; node < kLawyers; ++node) {
    int number, status, gender, office, years, age, practice, school;
    attributes >> number >> status >> gender >> office >> years >> age >> practice >> school;
    if (!attributes || gender < 1 || gender > 2 || office < 1 || office > 3) {
      throw InputError("{}: row {} is not a lawyer", (folder / "ELattr.dat").string(), node + 1);
    }
    result.attributes[0].of_node[node] = gender - 1;
    result.attributes[1].of_node[node] = office - 1;
  }
  std::vector<std::pair<Node, Node>> ties;
  std::ifstream work = open("ELwork.dat");
  for (Node from = 0; from < kLawyers; ++from) {
    for (Node to = 0; to < kLawyers; ++to) {
      int tied = 0;
      if (!(work >> tied)) {
        throw InputError("{}: is not a matrix of 71 rows", (folder / "ELwork.dat").string());
      }
      if (tied != 0 && from != to) ties.emplace_back(from, to);
    }
  }
  result.network = assign::Network(kLawyers, std::move(ties));
  return result;
}

GroupedNetwork block_model(Node nodes, std::uint64_t seed) {
  seed_igraph(seed);
  igraph_matrix_t preference;
  igraph_vector_int_t sizes;
  check(igraph_matrix_init(&preference, 2, 2), "matrix");
  check(igraph_vector_int_init(&sizes, 2), "vector");
  const double mean_degree = 10.0 / nodes;
  MATRIX(preference, 0, 0) = MATRIX(preference, 1, 1) = 1.5 * mean_degree;
  MATRIX(preference, 0, 1) = MATRIX(preference, 1, 0) = 0.3 * mean_degree;
  const Node majority = nodes * 7 / 10;
  VECTOR(sizes)[0] = majority;
  VECTOR(sizes)[1] = nodes - majority;
  igraph_t graph;
  const auto code = igraph_sbm_game(&graph, nodes, &preference, &sizes, false, false);
  igraph_matrix_destroy(&preference);
  igraph_vector_int_destroy(&sizes);
  check(code, "block model");
  GroupedNetwork result;
  result.name = "block model";
  result.attributes = {named_groups("group", 2, nodes)};
  for (Node node = majority; node < nodes; ++node) {
    result.attributes[0].of_node[static_cast<std::size_t>(node)] = 1;
  }
  result.network = assign::Network(nodes, ties_of(graph));
  return result;
}

GroupedNetwork preferential_attachment(Node nodes, int ties_each, std::uint64_t seed) {
  seed_igraph(seed);
  igraph_t graph;
  check(igraph_barabasi_game(&graph, nodes, 1.0, ties_each, nullptr, true, 1.0, false,
                             IGRAPH_BARABASI_PSUMTREE, nullptr),
        "preferential attachment");
  GroupedNetwork result;
  result.name = "preferential attachment";
  result.network = assign::Network(nodes, ties_of(graph));
  result.attributes = {named_groups("group", 3, nodes)};
  std::vector<Group>& groups = result.attributes[0].of_node;
  Random random(seed);
  for (Node node = 0; node < nodes; ++node) {
    const auto neighbours = result.network.neighbours(node);
    const auto earlier = static_cast<std::size_t>(
        std::lower_bound(neighbours.begin(), neighbours.end(), node) - neighbours.begin());
    const bool alike = earlier > 0 && random.uniform() < 0.6;
    groups[static_cast<std::size_t>(node)] =
        alike ? groups[static_cast<std::size_t>(neighbours[random.below(earlier)])]
              : static_cast<Group>(random.below(3));
  }
  return result;
}

}  // namespace limber::bench
