#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "limber/companions/assign/instance.h"
#include "limber/core/base/random.h"

namespace limber::assign {

/// What to draw on a given network.
struct SyntheticOptions {
  Position positions = 7;
  Candidate candidates = 9;
  double eligible_share = 1;  ///< of pairs; some assignment always exists
  double fitness_low = 0;     ///< fitness is uniform between the two
  double fitness_high = 1;
};

/// Opens random positions of a network whose nodes have groups, draws candidates from the groups of
/// all nodes (each attribute's combination together, as it occurs), pairs and fitness. Attributes'
/// `of_node` must be full; those of the opened positions become kNone.
Instance open_positions(Network network, std::vector<Attribute> attributes,
                        const SyntheticOptions& options, Random& random);

/// A network of a few nodes with ties more likely inside a group, and one or two attributes; for
/// instances that can be solved by trying everything.
Instance small_instance(const SyntheticOptions& options, Random& random);

}  // namespace limber::assign
