#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "limber/companions/assign/diversity_measure.h"
#include "limber/companions/assign/instance.h"
#include "limber/companions/assign/naive_measures_for_test.h"
#include "limber/companions/assign/objective.h"

namespace limber::bench {

/// Every score of an instance by the definitions themselves, apart from all that the search counts
/// with. Diversity depends on the profiles of the positions alone, and so is looked up by them.
class NaiveScores {
 public:
  NaiveScores(const assign::Instance& instance, const assign::MeasureDescription& measure)
      : instance_(instance),
        naive_(assign::naive_of(measure.name)),
        profile_at_(instance.positions.size(), assign::kNone),
        taken_(instance.profile_of.size(), false) {}

  std::vector<assign::Score> all() {
    descend(0, 0);
    return std::move(scores_);
  }

 private:
  void descend(std::size_t position, double fitness) {
    if (position == profile_at_.size()) {
      scores_.push_back({fitness, diversity()});
      return;
    }
    for (const assign::Pair& pair : instance_.pairs_of(static_cast<assign::Position>(position))) {
      const auto candidate = static_cast<std::size_t>(pair.candidate);
      if (taken_[candidate]) continue;
      taken_[candidate] = true;
      profile_at_[position] = instance_.profile_of[candidate];
      descend(position + 1, fitness + pair.fitness);
      taken_[candidate] = false;
    }
  }

  double diversity() {
    const auto [at, is_new] = known_.emplace(profile_at_, 0.0);
    if (!is_new) return at->second;
    double sum = 0;
    for (std::size_t a = 0; a < instance_.attributes.size(); ++a) {
      std::vector<assign::Group> groups = instance_.attributes[a].of_node;
      for (std::size_t p = 0; p < profile_at_.size(); ++p) {
        groups[static_cast<std::size_t>(instance_.positions[p])] =
            instance_.profiles[static_cast<std::size_t>(profile_at_[p])][a];
      }
      sum += naive_(assign::adjacency(instance_.network, groups), groups,
                    static_cast<assign::Group>(instance_.attributes[a].groups.size()));
    }
    return at->second = sum / static_cast<double>(instance_.attributes.size());
  }

  const assign::Instance& instance_;
  const assign::Naive naive_;
  std::vector<std::int32_t> profile_at_;
  std::vector<bool> taken_;
  std::map<std::vector<std::int32_t>, double> known_;
  std::vector<assign::Score> scores_;
};

}  // namespace limber::bench
