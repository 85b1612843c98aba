#include "limber/companions/assign/solve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "limber/companions/assign/branch_and_bound.h"
#include "limber/companions/assign/searcher.h"
#include "limber/core/base/progress.h"

namespace limber::assign {
namespace {

constexpr int kRandomAssignments = 20;
constexpr double kShareOfSearch = 0.5;        ///< of the time, where branch and bound follows
constexpr double kDiversityRounding = 1e-12;  ///< measures are between -1 and 1

/// A range as a unit; one where everything is alike but for rounding.
double unit_of(double range, double rounding) {
  return range > rounding ? range : 1;
}

/// What rounding may do to a sum of the fitness of every position.
double rounding_of_fitness(const Instance& instance) {
  double largest = 0;
  for (const Pair& pair : instance.pairs) largest = std::max(largest, std::abs(pair.fitness));
  return largest * static_cast<double>(instance.positions.size()) *
         std::numeric_limits<double>::epsilon();
}

class Sweep {
 public:
  Sweep(const Instance& instance, const MeasureDescription& measure, const SolveOptions& options)
      : given_(instance),
        instance_(with_relative_fitness(instance)),
        measure_(measure),
        options_(options),
        deadline_(Deadline::after(options.seconds)),
        search_deadline_(options.exact ? deadline_.part(kShareOfSearch) : deadline_),
        searcher_(instance_, measure, options.seed),
        trade_offs_(options.trade_offs) {
    trade_offs_.push_back(0);
    trade_offs_.push_back(1);
    std::sort(trade_offs_.begin(), trade_offs_.end());
    trade_offs_.erase(std::unique(trade_offs_.begin(), trade_offs_.end()), trade_offs_.end());
    proven_.assign(trade_offs_.size(), false);
  }

  Solution run() {
    std::optional<Progress> progress;
    if (options_.show_progress) {
      progress.emplace("assigning", trade_offs_.size() * (starts_of_each() + 1), "searches");
      progress_ = &*progress;
    }
    set_fitness_unit();
    add_random_assignments();
    set_diversity_unit();
    left_ = trade_offs_.size() - 1;  // diversity alone is behind us
    Assignment neighbour = fitness_only_;
    for (const double trade_off : trade_offs_) {
      const Objective objective = objective_of(trade_off);
      if (trade_off < 1) search(objective, {neighbour, {}});
      neighbour = searcher_.front().best(objective).assignment;
    }
    fill_front();
    // Diversity alone was proven before its unit was taken.
    for (std::size_t i = 0; options_.exact && i + 1 < trade_offs_.size(); ++i) {
      prove(i, deadline_.part(1.0 / static_cast<double>(trade_offs_.size() - 1 - i)));
    }
    for (std::size_t i = 0; i < trade_offs_.size(); ++i) add_point(i);
    solution_.front = rescored(searcher_.front());
    if (deadline_.passed()) solution_.cut_short = true;
    return std::move(solution_);
  }

 private:
  /// Scores that followed thousands of changes have gathered rounding: those reported have not.
  Front rescored(const Front& front) const {
    AssignmentState state(given_, measure_);
    Front result;
    for (const FrontPoint& point : front.points()) {
      state.set(point.assignment);
      result.add({state.score(), point.assignment});
    }
    return result;
  }

  std::size_t starts_of_each() const { return static_cast<std::size_t>(options_.starts) + 2; }
  Objective objective_of(double trade_off) const {
    return {trade_off, solution_.fitness_unit, solution_.diversity_unit};
  }

  void set_fitness_unit() {
    std::vector<double> weights = fitness_weights(instance_);
    fitness_only_ = searcher_.heaviest(weights);
    searcher_.collect(fitness_only_);
    const double most = exact_score(instance_, measure_, fitness_only_).fitness;
    for (double& weight : weights) weight = -weight;
    const double least = exact_score(instance_, measure_, searcher_.heaviest(weights)).fitness;
    solution_.fitness_unit = unit_of(most - least, rounding_of_fitness(given_));
  }

  void add_random_assignments() {
    for (int i = 0; i < kRandomAssignments && !search_deadline_.passed(); ++i) {
      const Assignment random = searcher_.random_assignment();
      solution_.random.push_back(exact_score(given_, measure_, random));
      searcher_.collect(random);
    }
  }

  void set_diversity_unit() {
    left_ = trade_offs_.size();
    search(objective_of(1), {fitness_only_, {}});
    // First of all, as the unit would be stale if the proof came by more diversity after it.
    if (options_.exact) {
      const double share = (1 - kShareOfSearch) / static_cast<double>(trade_offs_.size());
      prove(trade_offs_.size() - 1, deadline_.part(share));
    }
    if (options_.diversity_unit > 0) {
      solution_.diversity_unit = options_.diversity_unit;
    } else {
      const double most = searcher_.front().best(objective_of(1)).score.diversity;
      const double least = exact_score(instance_, measure_, fitness_only_).diversity;
      solution_.diversity_unit = unit_of(most - least, kDiversityRounding);
    }
  }

  /// From each of `starts` (empty: open positions), then from random ones, within this trade-off's
  /// share of the time.
  void search(const Objective& objective, const std::vector<Assignment>& starts) {
    const Deadline deadline = search_deadline_.part(1.0 / static_cast<double>(left_--));
    const auto start = [&](const Assignment& from) {
      if (!deadline.passed()) searcher_.search(objective, from, options_.kicks, deadline);
      note_end(deadline);
      advance();
    };
    for (const Assignment& from : starts) start(from);
    for (int i = 0; i < options_.starts; ++i) {
      start(deadline.passed() ? Assignment{} : searcher_.random_assignment());
    }
  }

  /// A part of the time that ran out cuts the search short, whatever is left of the whole.
  void note_end(const Deadline& deadline) {
    if (deadline.passed()) solution_.cut_short = true;
  }

  void advance() {
    if (progress_ != nullptr) progress_->add(1);
  }

  /// Searches between neighbours on the front that are far apart, and takes the first matchings of
  /// trade-offs between those swept.
  void fill_front() {
    for (std::size_t i = 0; i + 1 < trade_offs_.size() && !search_deadline_.passed(); ++i) {
      searcher_.match_once(objective_of((trade_offs_[i] + trade_offs_[i + 1]) / 2));
    }
    for (std::size_t i = 0; i < trade_offs_.size() && !search_deadline_.passed(); ++i) {
      const std::vector<double> gaps =
          searcher_.front().gaps(solution_.fitness_unit, solution_.diversity_unit);
      if (i >= gaps.size()) break;
      const Objective objective = objective_of(gaps[i]);
      const Deadline deadline =
          search_deadline_.part(1.0 / static_cast<double>(trade_offs_.size() - i));
      searcher_.search(objective, {}, 0, deadline);
      const Assignment best = searcher_.front().best(objective).assignment;
      if (!deadline.passed()) searcher_.search(objective, best, options_.kicks, deadline);
      note_end(deadline);
      advance();
    }
    note_end(search_deadline_);
  }

  /// Branch and bound for trade_offs_[i], from the best that is known.
  void prove(std::size_t i, const Deadline& deadline) {
    const Objective objective = objective_of(trade_offs_[i]);
    const ExactResult exact = branch_and_bound(
        instance_, measure_, objective, searcher_.front().best(objective).assignment, deadline);
    proven_[i] = exact.proven;
    if (!exact.proven) solution_.cut_short = true;
    searcher_.collect(exact.assignment);
  }

  void add_point(std::size_t i) {
    const Objective objective = objective_of(trade_offs_[i]);
    SweepPoint point;
    point.trade_off = trade_offs_[i];
    point.proven = proven_[i];
    point.assignment = searcher_.front().best(objective).assignment;
    point.score = exact_score(given_, measure_, point.assignment);
    solution_.sweep.push_back(std::move(point));
  }

  const Instance& given_;    ///< what scores are reported of
  const Instance instance_;  ///< what is searched: with relative fitness
  const MeasureDescription& measure_;
  const SolveOptions& options_;
  const Deadline deadline_;         ///< of everything
  const Deadline search_deadline_;  ///< leaves branch and bound its share
  Searcher searcher_;
  std::vector<double> trade_offs_;
  std::vector<bool> proven_;  ///< by trade-off
  Progress* progress_ = nullptr;
  std::size_t left_ = 1;
  Assignment fitness_only_;
  Solution solution_;
};

}  // namespace

Solution solve(const Instance& instance, const MeasureDescription& measure,
               const SolveOptions& options) {
  return Sweep(instance, measure, options).run();
}

}  // namespace limber::assign
