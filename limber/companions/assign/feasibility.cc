#include "limber/companions/assign/feasibility.h"

#include <algorithm>
#include <deque>

#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

constexpr std::size_t kNamed = 6;  ///< names in a message, at most; then a count

std::string list(std::vector<std::string> names) {
  std::string text;
  const std::size_t shown = std::min(names.size(), kNamed);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

/// Augmenting paths through positions, candidates and quotas.
class Filling {
 public:
  Filling(const Instance& instance, const std::string& origin)
      : instance_(instance),
        origin_(origin),
        candidate_of_(instance.positions.size(), kNone),
        position_of_(instance.profile_of.size(), kNone),
        filled_(instance.quotas.size(), 0),
        members_(instance.quotas.size()),
        eligible_for_(instance.profile_of.size()) {
    for (Position p = 0; p < instance.position_count(); ++p) {
      for (const Pair& pair : instance.pairs_of(p)) {
        eligible_for_[static_cast<std::size_t>(pair.candidate)].push_back(p);
      }
    }
    for (Candidate c = 0; c < instance.candidate_count(); ++c) {
      if (quota_of(c) != kNone) members_[static_cast<std::size_t>(quota_of(c))].push_back(c);
    }
  }

  void run() {
    for (Position p = 0; p < instance_.position_count(); ++p) {
      if (!fill(p)) fail_to_fill(p);
    }
    for (std::size_t q = 0; q < filled_.size(); ++q) {
      while (filled_[q] < instance_.quotas[q].at_least) {
        if (!bring_in(static_cast<std::int32_t>(q))) fail_to_bring_in(q);
      }
    }
  }

 private:
  std::int32_t quota_of(Candidate candidate) const {
    return instance_.quotas.empty() ? kNone
                                    : instance_.quota_of[static_cast<std::size_t>(candidate)];
  }
  void count(Candidate candidate, std::int32_t sign) {
    if (const std::int32_t q = quota_of(candidate); q != kNone) {
      filled_[static_cast<std::size_t>(q)] += sign;
    }
  }
  bool has_room(std::int32_t quota) const {
    return quota == kNone || filled_[static_cast<std::size_t>(quota)] <
                                 instance_.quotas[static_cast<std::size_t>(quota)].at_most;
  }

  /// Breadth first from an open position: it may take a candidate, whose position must then take
  /// another; a free candidate of a full quota may come in where another of that quota goes out.
  bool fill(Position start) {
    reached_positions_ = {start};
    reached_candidates_.clear();
    // taken_by_[c]: the position that would take c. let_go_[p]: whom p's own candidate makes room
    // for, by its quota; kNone where another position takes p's candidate itself.
    taken_by_.assign(instance_.profile_of.size(), kNone);
    std::vector<Candidate> let_go(instance_.positions.size(), kNone);
    std::vector<bool> seen(instance_.positions.size(), false);
    full_quotas_.assign(filled_.size(), false);
    seen[static_cast<std::size_t>(start)] = true;
    for (std::size_t next = 0; next < reached_positions_.size(); ++next) {
      const Position p = reached_positions_[next];
      for (const Pair& pair : instance_.pairs_of(p)) {
        const Candidate c = pair.candidate;
        if (taken_by_[static_cast<std::size_t>(c)] != kNone || candidate_of_[at(p)] == c) continue;
        taken_by_[static_cast<std::size_t>(c)] = p;
        reached_candidates_.push_back(c);
        const Position holder = position_of_[static_cast<std::size_t>(c)];
        if (holder != kNone) {
          if (!seen[at(holder)]) {
            seen[at(holder)] = true;
            reached_positions_.push_back(holder);
          }
          continue;
        }
        const std::int32_t quota = quota_of(c);
        if (has_room(quota)) {
          augment(start, c, let_go);
          return true;
        }
        if (full_quotas_[static_cast<std::size_t>(quota)]) continue;
        full_quotas_[static_cast<std::size_t>(quota)] = true;
        for (const Candidate other : members_[static_cast<std::size_t>(quota)]) {
          const Position theirs = position_of_[static_cast<std::size_t>(other)];
          if (theirs == kNone || seen[at(theirs)]) continue;
          seen[at(theirs)] = true;
          let_go[at(theirs)] = c;
          reached_positions_.push_back(theirs);
        }
      }
    }
    return false;
  }

  /// Walks the path back from the free candidate `last` to the open position.
  void augment(Position start, Candidate last, const std::vector<Candidate>& let_go) {
    for (Candidate coming = last;;) {
      const Position p = taken_by_[static_cast<std::size_t>(coming)];
      const Candidate leaving = candidate_of_[at(p)];
      candidate_of_[at(p)] = coming;
      position_of_[static_cast<std::size_t>(coming)] = p;
      count(coming, +1);
      if (p == start) return;
      // The one who leaves is taken by another position, or goes out for one of the same quota.
      count(leaving, -1);
      position_of_[static_cast<std::size_t>(leaving)] = kNone;
      coming = let_go[at(p)] == kNone ? leaving : let_go[at(p)];
    }
  }

  /// Breadth first from the free members of a quota that is short: one takes a position, whose
  /// candidate goes out if its quota can spare it, or takes another position, or is made up for by
  /// a free candidate of its quota.
  bool bring_in(std::int32_t quota) {
    std::vector<Candidate> seekers;
    std::vector<Position> seat(instance_.profile_of.size(), kNone);
    std::vector<Candidate> displaced_by(instance_.positions.size(), kNone);
    std::vector<bool> queued(instance_.profile_of.size(), false);
    // The position whose candidate a seeker takes the place of in the count of its quota.
    std::vector<Position> because(instance_.profile_of.size(), kNone);
    const auto queue = [&](Candidate c, Position reason) {
      if (queued[static_cast<std::size_t>(c)]) return;
      queued[static_cast<std::size_t>(c)] = true;
      because[static_cast<std::size_t>(c)] = reason;
      seekers.push_back(c);
    };
    const auto queue_free_members = [&](std::int32_t of, Position reason) {
      for (const Candidate c : members_[static_cast<std::size_t>(of)]) {
        if (position_of_[static_cast<std::size_t>(c)] == kNone) queue(c, reason);
      }
    };
    queue_free_members(quota, kNone);
    for (std::size_t next = 0; next < seekers.size(); ++next) {
      const Candidate seeker = seekers[next];
      for (const Position p : eligible_for_[static_cast<std::size_t>(seeker)]) {
        const Candidate holder = candidate_of_[at(p)];
        if (holder == seeker || displaced_by[at(p)] != kNone) continue;
        displaced_by[at(p)] = seeker;
        const std::int32_t theirs = quota_of(holder);
        if (theirs == kNone || filled_[static_cast<std::size_t>(theirs)] >
                                   instance_.quotas[static_cast<std::size_t>(theirs)].at_least) {
          count(holder, -1);
          position_of_[static_cast<std::size_t>(holder)] = kNone;
          for (Position here = p; here != kNone;) {
            const Candidate coming = displaced_by[at(here)];
            const Position from = because[static_cast<std::size_t>(coming)];
            candidate_of_[at(here)] = coming;
            // A free member comes in for the one it makes up for, who goes out.
            if (position_of_[static_cast<std::size_t>(coming)] == kNone) {
              count(coming, +1);
              if (from != kNone) {
                const Candidate out = candidate_of_[at(from)];
                count(out, -1);
                position_of_[static_cast<std::size_t>(out)] = kNone;
              }
            }
            position_of_[static_cast<std::size_t>(coming)] = here;
            here = from;
          }
          return true;
        }
        queue(holder, p);
        queue_free_members(theirs, p);
      }
    }
    return false;
  }

  static std::size_t at(Position position) { return static_cast<std::size_t>(position); }

  [[noreturn]] void fail_to_fill(Position position) const {
    const std::string& name = instance_.position_name(position);
    if (instance_.pairs_of(position).empty()) {
      throw InputError(
          "{}: position {} cannot be filled: no candidate is eligible for it; add rows for it",
          origin_, name);
    }
    std::vector<std::string> positions, candidates, full;
    for (const Position p : reached_positions_) positions.push_back(instance_.position_name(p));
    for (const Candidate c : reached_candidates_) {
      candidates.push_back(instance_.candidate_names[static_cast<std::size_t>(c)]);
    }
    for (std::size_t q = 0; q < full_quotas_.size(); ++q) {
      if (full_quotas_[q]) {
        full.push_back(
            fmt::format("{}: at most {}", instance_.quotas[q].name, instance_.quotas[q].at_most));
      }
    }
    if (full.empty()) {
      throw InputError(
          "{}: position {} cannot be filled: {} position{} ({}) share only {} eligible "
          "candidate{} ({}); add rows that make others eligible for one of them",
          origin_, name, positions.size(), positions.size() == 1 ? "" : "s", list(positions),
          candidates.size(), candidates.size() == 1 ? "" : "s", list(candidates));
    }
    throw InputError(
        "{}: position {} cannot be filled: {} position{} ({}) depend on quotas that are full ({}); "
        "raise one of them or add rows that make others eligible",
        origin_, name, positions.size(), positions.size() == 1 ? "" : "s", list(positions),
        list(full));
  }

  [[noreturn]] void fail_to_bring_in(std::size_t quota) const {
    throw InputError(
        "quota {}: at least {} are asked for, but only {} of its {} candidates can be placed "
        "beside the other quotas; lower it or add rows to {}",
        instance_.quotas[quota].name, instance_.quotas[quota].at_least, filled_[quota],
        members_[quota].size(), origin_);
  }

  const Instance& instance_;
  const std::string& origin_;
  Assignment candidate_of_;
  std::vector<Position> position_of_;
  std::vector<std::int32_t> filled_;
  std::vector<std::vector<Candidate>> members_;
  std::vector<std::vector<Position>> eligible_for_;
  std::vector<Position> taken_by_;
  std::vector<Position> reached_positions_;
  std::vector<Candidate> reached_candidates_;
  std::vector<bool> full_quotas_;
};

}  // namespace

void check_feasible(const Instance& instance, const std::string& origin) {
  Filling(instance, origin).run();
}

}  // namespace limber::assign
