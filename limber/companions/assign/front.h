#pragma once

#include <vector>

#include "limber/companions/assign/assignment_state.h"
#include "limber/companions/assign/instance.h"
#include "limber/companions/assign/objective.h"

namespace limber::assign {

struct FrontPoint {
  Score score;
  Assignment assignment;
};

/// The Pareto front: assignments of which none is covered by another, by ascending fitness (and so
/// by descending diversity).
class Front {
 public:
  /// Takes the point unless one that is here covers it, and drops those that it covers.
  bool add(FrontPoint point);
  /// As add, of what a search is at: copied only when it is taken.
  bool offer(const AssignmentState& state);

  const std::vector<FrontPoint>& points() const { return points_; }
  /// Whether some point is at least as good on both counts, up to `rounding` on each.
  bool covers_score(const Score& score, double rounding = 0) const;
  /// The point that an objective likes best; the front must not be empty.
  const FrontPoint& best(const Objective& objective) const;
  /// The trade-off that values two neighbours on the front alike, for each pair of neighbours, the
  /// pair with the largest area between them first: where to search for what lies between (the
  /// dichotomic scheme of Aneja and Nair 1979).
  std::vector<double> gaps(double fitness_unit, double diversity_unit) const;
  /// The area between the front and `worst`, in units of the objective: the measure by which
  /// fronts are compared (Zitzler and Thiele 1999).
  double hypervolume(const Score& worst, double fitness_unit, double diversity_unit) const;

 private:
  std::vector<FrontPoint> points_;
};

}  // namespace limber::assign
