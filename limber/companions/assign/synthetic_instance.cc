#include "limber/companions/assign/synthetic_instance.h"

#include <fmt/format.h>

#include <numeric>
#include <set>

namespace limber::assign {

Instance open_positions(Network network, std::vector<Attribute> attributes,
                        const SyntheticOptions& options, Random& random) {
  Instance instance;
  const Node nodes = network.size();
  std::vector<std::vector<Group>> groups;
  for (Candidate c = 0; c < options.candidates; ++c) {
    const auto like = static_cast<std::size_t>(random.below(static_cast<std::uint64_t>(nodes)));
    groups.emplace_back();
    for (const Attribute& attribute : attributes) groups.back().push_back(attribute.of_node[like]);
    instance.candidate_names.push_back(fmt::format("c{}", c + 1));
  }
  set_profiles(instance, groups);
  for (Node node = 0; node < nodes; ++node) {
    instance.node_names.push_back(fmt::format("n{}", node + 1));
  }
  std::vector<Node> order(static_cast<std::size_t>(nodes));
  std::iota(order.begin(), order.end(), Node{0});
  random.shuffle(std::span(order));
  order.resize(static_cast<std::size_t>(options.positions));
  instance.positions = order;
  for (Attribute& attribute : attributes) {
    for (const Node node : order) attribute.of_node[static_cast<std::size_t>(node)] = kNone;
  }
  instance.network = std::move(network);
  instance.attributes = std::move(attributes);

  // One hidden assignment keeps the instance feasible however few pairs there are.
  std::vector<Candidate> hidden(static_cast<std::size_t>(options.candidates));
  std::iota(hidden.begin(), hidden.end(), Candidate{0});
  random.shuffle(std::span(hidden));
  std::vector<PositionedPair> pairs;
  const auto fitness = [&] {
    return options.fitness_low + (options.fitness_high - options.fitness_low) * random.uniform();
  };
  for (Position p = 0; p < options.positions; ++p) {
    std::set<Candidate> eligible = {hidden[static_cast<std::size_t>(p)]};
    if (options.eligible_share >= 1) {
      for (Candidate c = 0; c < options.candidates; ++c) eligible.insert(c);
    } else {
      const auto wanted = static_cast<std::size_t>(options.eligible_share * options.candidates);
      while (eligible.size() < wanted) {
        eligible.insert(
            static_cast<Candidate>(random.below(static_cast<std::uint64_t>(options.candidates))));
      }
    }
    for (const Candidate c : eligible) pairs.push_back({p, c, fitness()});
  }
  set_pairs(instance, std::move(pairs));
  return instance;
}

Instance small_instance(const SyntheticOptions& options, Random& random) {
  const auto nodes = static_cast<Node>(options.positions + 4 + random.below(14));
  const std::size_t attribute_count = 1 + random.below(2);
  std::vector<Attribute> attributes;
  for (std::size_t a = 0; a < attribute_count; ++a) {
    const std::uint64_t group_count = 2 + random.below(2);
    Attribute attribute;
    attribute.name = fmt::format("attribute_{}", a + 1);
    for (std::uint64_t g = 0; g < group_count; ++g) {
      attribute.groups.push_back(fmt::format("g{}", g + 1));
    }
    for (Node node = 0; node < nodes; ++node) {
      attribute.of_node.push_back(static_cast<Group>(random.below(group_count)));
    }
    attributes.push_back(std::move(attribute));
  }
  std::vector<std::pair<Node, Node>> ties;
  for (Node a = 0; a < nodes; ++a) {
    for (Node b = a + 1; b < nodes; ++b) {
      const bool alike = attributes[0].of_node[static_cast<std::size_t>(a)] ==
                         attributes[0].of_node[static_cast<std::size_t>(b)];
      if (random.uniform() < (alike ? 0.45 : 0.15)) ties.emplace_back(a, b);
    }
  }
  return open_positions(Network(nodes, std::move(ties)), std::move(attributes), options, random);
}

}  // namespace limber::assign
