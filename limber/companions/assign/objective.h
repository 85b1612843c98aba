#pragma once

#include <algorithm>
#include <cmath>

namespace limber::assign {

/// What an assignment is worth on both counts.
struct Score {
  double fitness = 0;    ///< sum over positions
  double diversity = 0;  ///< of the chosen measure; higher is more diverse
};

/// Whether `a` is at least as good on both counts.
inline bool covers(const Score& a, const Score& b) {
  return a.fitness >= b.fitness && a.diversity >= b.diversity;
}

/// The reward (1 - w) * fitness / fitness_unit + w * diversity / diversity_unit with w the
/// trade-off. Units make the two comparable; Limber's choice is the range that each can take.
struct Objective {
  double trade_off = 0.5;  ///< in [0, 1]: 0 is fitness alone, 1 diversity alone
  double fitness_unit = 1;
  double diversity_unit = 1;

  double reward(const Score& score) const {
    return (1 - trade_off) * score.fitness / fitness_unit +
           trade_off * score.diversity / diversity_unit;
  }

  /// The reward with all that it is the sum of taken as positive: what its rounding goes with.
  double size(const Score& score) const {
    return (1 - trade_off) * std::abs(score.fitness) / fitness_unit +
           trade_off * std::abs(score.diversity) / diversity_unit;
  }

  /// Whether `a` is worth more than `b` by more than rounding; of equals, that which is better on
  /// the count that the trade-off leaves out (at 0, diversity; at 1, fitness).
  bool better(const Score& a, const Score& b) const {
    const double first = reward(a), second = reward(b);
    if (std::abs(first - second) > rounding(a, b)) return first > second;
    const Objective even{0.5, fitness_unit, diversity_unit};
    return even.reward(a) > even.reward(b) + even.rounding(a, b);
  }

 private:
  /// 1e-15 of the units for what a search has added up and taken off again.
  double rounding(const Score& a, const Score& b) const {
    return 1e-15 + 1e-12 * std::max(size(a), size(b));
  }
};

}  // namespace limber::assign
