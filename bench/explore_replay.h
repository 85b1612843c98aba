#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "limber/core/explore/bandit_policy_for_test.h"

namespace limber::bench {

/// A log of shown films and whether they were liked, as bench/explore.py writes it.
struct ReplayLog {
  struct Event {
    std::size_t user = 0, film = 0;
    double reward = 0;
  };
  std::vector<std::vector<double>> films;  ///< features [films, F]
  std::size_t first_crossed = 0;           ///< of these features `crossed` are also crossed with
  std::size_t crossed = 0;                 ///< the user's sign
  std::vector<double> users;               ///< signs
  std::vector<Event> events;

  std::size_t dim() const { return films[0].size() + crossed; }
};

ReplayLog read_replay_log(const std::filesystem::path& path);

struct Replayed {
  double reward_rate = 0;  ///< mean reward of the events that counted
  std::size_t counted = 0;
};

/// Replay by rejection (Li et al. 2011, arXiv 1003.5956): events come in random order; to each
/// belong `candidates` films, the one shown and others; where the policy chooses the one that was
/// shown, the event counts and is learned from, otherwise it is passed over. This is unbiased where
/// the film shown was drawn evenly from the candidates. MovieLens was not logged so; the other
/// candidates are films of other events drawn at random, which makes each of the candidates as
/// likely as any other to be the one shown, but for what the user had to do with it.
///
/// `tuning`: the events of users whose number is a multiple of 4; otherwise those of all others.
/// `batch`: events that are learned from at once.
Replayed replay(const ReplayLog& log, const BanditPolicy& policy, bool tuning,
                std::size_t candidates, std::size_t batch, std::uint64_t seed);

}  // namespace limber::bench
