#include "limber/companions/assign/local_search.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace limber::assign {
namespace {

/// Beyond so many candidates for a position, chains and rotations look at a random share of them.
constexpr std::size_t kFirstSteps = 64;
constexpr std::size_t kSecondSteps = 16;
/// Up to so many positions, any two may change at once; beyond, those with a tie between them.
constexpr Position kFewPositions = 12;

}  // namespace

LocalSearch::LocalSearch(AssignmentState& state, const Objective& objective, Random& random,
                         Front& front)
    : state_(state),
      instance_(state.instance()),
      objective_(objective),
      random_(random),
      front_(front),
      score_(state.score()),
      by_fitness_(instance_.pairs.size()),
      tied_(instance_.positions.size()),
      queued_(instance_.positions.size(), false) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> kinds;
  for (std::size_t c = 0; c < instance_.profile_of.size(); ++c) {
    const std::int32_t quota = instance_.quotas.empty() ? kNone : instance_.quota_of[c];
    kind_of_.push_back(kinds
                           .emplace(std::pair{instance_.profile_of[c], quota},
                                    static_cast<std::int32_t>(kinds.size()))
                           .first->second);
  }
  seen_kind_.assign(kinds.size(), 0);
  std::iota(by_fitness_.begin(), by_fitness_.end(), 0U);
  for (std::size_t p = 0; p + 1 < instance_.pair_starts.size(); ++p) {
    const auto begin = by_fitness_.begin();
    std::stable_sort(begin + static_cast<std::ptrdiff_t>(instance_.pair_starts[p]),
                     begin + static_cast<std::ptrdiff_t>(instance_.pair_starts[p + 1]),
                     [&](std::uint32_t a, std::uint32_t b) {
                       return instance_.pairs[a].fitness > instance_.pairs[b].fitness;
                     });
  }
  std::vector<Position> position_at(static_cast<std::size_t>(instance_.network.size()), kNone);
  for (Position p = 0; p < instance_.position_count(); ++p) {
    position_at[static_cast<std::size_t>(instance_.positions[static_cast<std::size_t>(p)])] = p;
  }
  for (std::size_t p = 0; p < tied_.size(); ++p) {
    for (const Node node : instance_.network.neighbours(instance_.positions[p])) {
      const Position other = position_at[static_cast<std::size_t>(node)];
      if (other != kNone) tied_[p].push_back(other);
    }
  }
}

void LocalSearch::push(Position position) {
  const auto at = static_cast<std::size_t>(position);
  if (queued_[at]) return;
  queued_[at] = true;
  queue_.push_back(position);
}

void LocalSearch::push_around(Position position) {
  push(position);
  for (const Position other : tied_[static_cast<std::size_t>(position)]) push(other);
}

bool LocalSearch::attempt(std::initializer_list<Change> changes) {
  Score most{score_.fitness, state_.ceiling()};
  for (const Change& change : changes) {
    most.fitness += change.fitness - state_.fitness_at(change.position);
  }
  if (!objective_.better(most, score_)) return false;
  state_.apply(std::span(changes.begin(), changes.size()));
  const Score score = state_.score();
  if (state_.quotas_hold() && objective_.better(score, score_)) {
    score_ = score;
    front_.offer(state_);
    for (const Change& change : changes) push_around(change.position);
    return true;
  }
  state_.undo();
  return false;
}

const std::vector<Change>& LocalSearch::free_for(Position position, std::vector<Change>& room) {
  room.clear();
  ++looks_;
  const auto p = static_cast<std::size_t>(position);
  std::size_t kinds_left = seen_kind_.size();
  for (std::size_t i = instance_.pair_starts[p]; i < instance_.pair_starts[p + 1]; ++i) {
    const Pair& pair = instance_.pairs[by_fitness_[i]];
    if (state_.position_of(pair.candidate) != kNone) continue;
    const auto kind = static_cast<std::size_t>(kind_of_[static_cast<std::size_t>(pair.candidate)]);
    if (seen_kind_[kind] == looks_) continue;
    seen_kind_[kind] = looks_;
    room.push_back({position, pair.candidate, pair.fitness});
    if (--kinds_left == 0) break;
  }
  return room;
}

std::span<const Pair> LocalSearch::some_pairs(Position position, std::size_t most,
                                              std::vector<Pair>& room) {
  const std::span<const Pair> all = instance_.pairs_of(position);
  if (all.size() <= most) return all;
  room.clear();
  for (std::size_t i = 0; i < most; ++i) room.push_back(all[random_.below(all.size())]);
  return room;
}

bool LocalSearch::improve(Position p) {
  std::vector<Change> free_room, chain_room;
  for (const Change& change : free_for(p, free_room)) {
    if (attempt({change})) return true;
  }
  std::vector<Pair> first_room, second_room;
  const Candidate mine = state_.candidate_of(p);
  for (const Pair& first : some_pairs(p, kFirstSteps, first_room)) {
    const Position q = state_.position_of(first.candidate);
    if (q == kNone || q == p) continue;
    const Change take{p, first.candidate, first.fitness};
    if (const Pair* back = instance_.find(q, mine)) {
      if (attempt({take, {q, mine, back->fitness}})) return true;
    }
    for (const Change& refill : free_for(q, chain_room)) {
      if (attempt({take, refill})) return true;
    }
    for (const Pair& second : some_pairs(q, kSecondSteps, second_room)) {
      const Position r = state_.position_of(second.candidate);
      if (r == kNone || r == p || r == q) continue;
      const Pair* back = instance_.find(r, mine);
      if (back == nullptr) continue;
      if (attempt({take, {q, second.candidate, second.fitness}, {r, mine, back->fitness}})) {
        return true;
      }
    }
  }
  return improve_by_two(p);
}

bool LocalSearch::improve_by_two(Position p) {
  std::vector<Change> mine, theirs;
  free_for(p, mine);
  const auto with = [&](Position q) {
    if (q == p) return false;
    free_for(q, theirs);
    for (const Change& first : mine) {
      for (const Change& second : theirs) {
        if (first.candidate != second.candidate && attempt({first, second})) return true;
      }
    }
    return false;
  };
  if (instance_.position_count() <= kFewPositions) {
    for (Position q = 0; q < instance_.position_count(); ++q) {
      if (with(q)) return true;
    }
    return false;
  }
  return std::any_of(tied_[static_cast<std::size_t>(p)].begin(),
                     tied_[static_cast<std::size_t>(p)].end(), with);
}

void LocalSearch::drain(const Deadline& deadline) {
  while (!queue_.empty() && !deadline.passed()) {
    const Position p = queue_.front();
    queue_.pop_front();
    queued_[static_cast<std::size_t>(p)] = false;
    while (improve(p)) {
      if (deadline.passed()) break;
    }
  }
  // What the deadline left over must not wait for the next search.
  for (const Position p : queue_) queued_[static_cast<std::size_t>(p)] = false;
  queue_.clear();
}

void LocalSearch::run(const Deadline& deadline) {
  score_ = state_.score();
  // Measures look at the whole network: after a pass that changed something, all may look anew.
  for (bool improved = true; improved && !deadline.passed();) {
    const Score before = score_;
    for (Position p = 0; p < instance_.position_count(); ++p) push(p);
    drain(deadline);
    improved = objective_.better(score_, before);
  }
}

void LocalSearch::shake() {
  const auto positions = static_cast<std::uint64_t>(instance_.position_count());
  const std::uint64_t moves = 2 + random_.below(3);
  for (std::uint64_t i = 0; i < moves; ++i) {
    const auto p = static_cast<Position>(random_.below(positions));
    const std::span<const Pair> row = instance_.pairs_of(p);
    const Pair& pair = row[random_.below(row.size())];
    const Position q = state_.position_of(pair.candidate);
    if (q == p) continue;
    std::vector<Change> changes = {{p, pair.candidate, pair.fitness}};
    if (q != kNone) {
      const Pair* back = instance_.find(q, state_.candidate_of(p));
      if (back == nullptr) continue;
      changes.push_back({q, back->candidate, back->fitness});
    }
    state_.apply(changes);
    if (!state_.quotas_hold()) {
      state_.undo();
      continue;
    }
    for (const Change& change : changes) push(change.position);
  }
  score_ = state_.score();
}

void LocalSearch::kick(int kicks, const Deadline& deadline) {
  Assignment best = state_.assignment();
  Score best_score = score_ = state_.score();
  for (int i = 0; i < kicks && !deadline.passed(); ++i) {
    shake();
    drain(deadline);
    if (!objective_.better(best_score, score_)) {
      best = state_.assignment();
      best_score = score_;
    } else {
      state_.set(best);
      score_ = best_score;
    }
  }
  state_.set(best);
  score_ = state_.score();
}

}  // namespace limber::assign
