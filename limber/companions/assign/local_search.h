#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "limber/companions/assign/assignment_state.h"
#include "limber/companions/assign/deadline.h"
#include "limber/companions/assign/front.h"
#include "limber/core/base/random.h"

namespace limber::assign {

/// Improves a full assignment by small moves, each judged by the exact reward:
///  - a position takes a free candidate,
///  - two positions swap,
///  - a chain: one position takes another's candidate, which takes a free candidate,
///  - a rotation of three positions,
///  - two positions take free candidates at once (positions with a tie between them; any two where
///    there are few), for rewards that fall when either moves alone.
/// Of free candidates with the same profile and quota only the fittest for a position can be worth
/// taking, which keeps the moves few. Positions wait in a queue; a move puts those that it touches,
/// and the open positions tied to them, back in.
class LocalSearch {
 public:
  /// The front gets every assignment on the way.
  LocalSearch(AssignmentState& state, const Objective& objective, Random& random, Front& front);

  /// Until no move improves, or the deadline.
  void run(const Deadline& deadline);

  /// Makes a few random moves, improves from there, and keeps the result unless it is worse; as
  /// often as `kicks` says.
  void kick(int kicks, const Deadline& deadline);

 private:
  void push(Position position);
  void push_around(Position position);
  void drain(const Deadline& deadline);
  bool improve(Position position);
  bool improve_by_two(Position position);
  bool attempt(std::initializer_list<Change> changes);
  void shake();
  /// The fittest free candidates for a position, one for each profile and quota.
  const std::vector<Change>& free_for(Position position, std::vector<Change>& room);
  /// The pairs to look at from a position: all, or a random share where they are many.
  std::span<const Pair> some_pairs(Position position, std::size_t most, std::vector<Pair>& room);

  AssignmentState& state_;
  const Instance& instance_;
  const Objective& objective_;
  Random& random_;
  Front& front_;
  Score score_;                           ///< of state_
  std::vector<std::int32_t> kind_of_;     ///< by candidate: its profile and quota as one number
  std::vector<std::uint64_t> seen_kind_;  ///< by kind: the number of the last free_for that saw it
  std::uint64_t looks_ = 0;
  std::vector<std::uint32_t> by_fitness_;  ///< pairs of each position, fittest first
  std::vector<std::vector<Position>> tied_;
  std::deque<Position> queue_;
  std::vector<bool> queued_;
};

}  // namespace limber::assign
