#include "limber/companions/assign/searcher.h"

#include "limber/companions/assign/linearised_search.h"
#include "limber/companions/assign/local_search.h"
#include "limber/core/base/error.h"

namespace limber::assign {

Searcher::Searcher(const Instance& instance, const MeasureDescription& measure, std::uint64_t seed)
    : instance_(instance),
      measure_(measure),
      matching_(instance),
      state_(instance, measure),
      random_(seed) {}

void Searcher::search(const Objective& objective, const Assignment& start, int kicks,
                      const Deadline& deadline) {
  state_.set(start.empty() ? Assignment(instance_.positions.size(), kNone) : start);
  linearised_search(state_, matching_, objective, deadline, front_);
  collect(state_.assignment());
  LocalSearch local(state_, objective, random_, front_);
  local.run(deadline);
  collect(state_.assignment());
  local.kick(kicks, deadline);
  refit(state_, matching_);
  collect(state_.assignment());
}

void Searcher::match_once(const Objective& objective) {
  state_.set(Assignment(instance_.positions.size(), kNone));
  collect(heaviest(linearised_weights(state_, objective)));
}

Assignment Searcher::random_assignment() {
  std::vector<double> weights(instance_.pairs.size());
  for (double& weight : weights) weight = random_.uniform();
  return heaviest(weights);
}

Assignment Searcher::heaviest(std::span<const double> weights) {
  Assignment assignment;
  if (!matching_.solve(weights, assignment)) {
    throw Error("assign: no assignment fills every position");
  }
  return assignment;
}

void Searcher::collect(const Assignment& assignment) {
  front_.add({exact_score(instance_, measure_, assignment), assignment});
}

}  // namespace limber::assign
