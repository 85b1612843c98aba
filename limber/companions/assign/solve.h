#pragma once

#include <cstdint>
#include <vector>

#include "limber/companions/assign/diversity_measure.h"
#include "limber/companions/assign/front.h"
#include "limber/companions/assign/instance.h"
#include "limber/companions/assign/objective.h"

namespace limber::assign {

struct SolveOptions {
  std::vector<double> trade_offs;  ///< to sweep, each in [0, 1]; 0 and 1 are always swept
  int starts = 4;                  ///< random starts for each trade-off, beside those that are not
  int kicks = 20;                  ///< random disturbances after each start
  std::uint64_t seed = 1;
  double seconds = 60;        ///< for everything
  double diversity_unit = 0;  ///< 0: the range between fitness alone and diversity alone
  bool exact = false;         ///< branch and bound after the search
  bool show_progress = true;
};

/// The best assignment found for one trade-off.
struct SweepPoint {
  double trade_off = 0;
  Score score;
  Assignment assignment;
  bool proven = false;  ///< branch and bound has shown that none is better
};

struct Solution {
  Front front;                    ///< of everything that any search came by
  std::vector<SweepPoint> sweep;  ///< by ascending trade-off
  double fitness_unit = 1;        ///< largest minus smallest total fitness of any assignment
  double diversity_unit = 1;
  std::vector<Score> random;  ///< of random assignments: where chance lies
  bool cut_short = false;     ///< the deadline, or a signal, came before the search was done
};

/// Sweeps the trade-off. For each: linearised search, local search and kicks from several starts
/// (the linearisation around open positions; the neighbouring trade-off's result; random
/// matchings). All scores are exact, never linearised. The same options give the same solution
/// unless the deadline or a signal cuts the search short; then the best so far is returned, which
/// is at least the fitness-only matching. The instance must be feasible (check_feasible).
Solution solve(const Instance& instance, const MeasureDescription& measure,
               const SolveOptions& options);

}  // namespace limber::assign
