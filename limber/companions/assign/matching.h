#pragma once

#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "limber/companions/assign/instance.h"

namespace limber::assign {

/// Weight of a pair that must not be used.
inline constexpr double kForbidden = -std::numeric_limits<double>::infinity();

/// The matching of largest total weight that fills every position and holds every quota: a
/// min-cost flow position -> candidate -> quota -> sink, solved by LEMON's network simplex. The
/// graph is built once; each call brings other weights.
class Matching {
 public:
  /// The instance must outlive this.
  explicit Matching(const Instance& instance);
  ~Matching();
  Matching(const Matching&) = delete;
  Matching& operator=(const Matching&) = delete;

  /// `weights`: one for each of instance.pairs, finite or kForbidden. False, and `assignment` as it
  /// was, when no matching exists. A constant added to all weights of a position changes nothing.
  /// Weights are rounded, to 2^-50 of the widest range within a position up to a thousand nodes and
  /// a bit more with each doubling of them.
  bool solve(std::span<const double> weights, Assignment& assignment);

 private:
  struct Flow;
  const Instance& instance_;
  std::unique_ptr<Flow> flow_;
};

/// The weights that are the fitness itself.
std::vector<double> fitness_weights(const Instance& instance);

}  // namespace limber::assign
