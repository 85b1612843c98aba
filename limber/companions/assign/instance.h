#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "limber/companions/assign/network.h"

namespace limber::assign {

/// A position and a candidate, numbered from 0 in the order of their tables.
using Position = std::int32_t;
using Candidate = std::int32_t;

/// A protected attribute: the group of every node and, through profiles, of every candidate.
struct Attribute {
  std::string name;
  std::vector<std::string> groups;  ///< names, by Group
  std::vector<Group> of_node;       ///< by Node; kNone for open positions
};

/// A candidate that may take a position, and how well it fits.
struct Pair {
  Candidate candidate = kNone;
  double fitness = 0;
};

/// How many of the candidates that the quota covers must and may be assigned.
struct Quota {
  std::string name;  ///< "COLUMN = VALUE", for messages
  std::int32_t at_least = 0;
  std::int32_t at_most = 0;
};

/// The candidate at each position: what is sought.
using Assignment = std::vector<Candidate>;

/// What is to be solved: a network with open positions, candidates for them, and who fits where.
///
/// Diversity sees of a candidate only its profile, the groups that it has in all attributes; many
/// candidates share one. The solver leans on this: what differs in profile alone can be told apart
/// by few numbers.
struct Instance {
  Network network;
  std::vector<Attribute> attributes;  ///< at least one
  std::vector<std::string> node_names;
  std::vector<std::string> candidate_names;
  std::vector<Node> positions;               ///< node of each position, all different
  std::vector<std::vector<Group>> profiles;  ///< [profile][attribute]
  std::vector<std::int32_t> profile_of;      ///< by Candidate
  std::vector<std::size_t> pair_starts{0};   ///< by Position, and the end
  std::vector<Pair> pairs;                   ///< by position, within it by ascending candidate
  std::vector<Quota> quotas;                 ///< disjoint: they count one column's values
  std::vector<std::int32_t> quota_of;        ///< by Candidate: its quota, or kNone

  Position position_count() const { return static_cast<Position>(positions.size()); }
  Candidate candidate_count() const { return static_cast<Candidate>(profile_of.size()); }
  std::span<const Pair> pairs_of(Position position) const {
    const auto at = static_cast<std::size_t>(position);
    return {pairs.data() + pair_starts[at], pair_starts[at + 1] - pair_starts[at]};
  }
  /// The pair, or nullptr where the candidate is not eligible for the position.
  const Pair* find(Position position, Candidate candidate) const;
  const std::string& position_name(Position position) const {
    return node_names[static_cast<std::size_t>(positions[static_cast<std::size_t>(position)])];
  }
};

/// Sets `profiles` and `profile_of` from the groups of each candidate, [candidate][attribute].
void set_profiles(Instance& instance, const std::vector<std::vector<Group>>& groups);

/// A pair as tables give it.
struct PositionedPair {
  Position position = kNone;
  Candidate candidate = kNone;
  double fitness = 0;
};

/// Sets `pairs` and `pair_starts`. The pairs are all different and may come in any order.
void set_pairs(Instance& instance, std::vector<PositionedPair> pairs);

/// The instance with the fitness of every pair less that of the fittest for its position. As each
/// position is filled once, this takes the same from every assignment, and sums keep their digits.
Instance with_relative_fitness(Instance instance);

/// Leaves a fixed position, fixed[position] != kNone, only its candidate, and that candidate only
/// this position. A fixed candidate that is not eligible leaves the position none.
void fix_assignments(Instance& instance, std::span<const Candidate> fixed);

}  // namespace limber::assign
