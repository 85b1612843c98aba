#pragma once

#include <cstdint>
#include <vector>

namespace limber {

/// One interaction as the fit of its item's effect sees it.
struct EffectRow {
  std::int32_t item = 0;
  float logit = 0;   ///< of the main model
  float label = 0;   ///< 0 or 1
  float weight = 1;  ///< how often it counts
};

/// A random effect for each item beside a fixed logit (the RO model of LiRank, arXiv 2402.06859):
///
///     b = argmin  sum over rows of weight * log loss(label, sigmoid(logit + b[item]))
///               + sum over items of b[item]^2 / (2 deviation^2)
///
/// which is the most likely b when each comes from a normal distribution of that deviation around
/// 0. The items' problems are apart, each convex in one number, and solved to the last digit.
class ItemEffects {
 public:
  /// Rows in any order, their items in [0, items).
  ItemEffects(std::int64_t items, const std::vector<EffectRow>& rows);

  /// b [items]; 0 for items without rows.
  std::vector<double> fit(double deviation) const;

  /// Logarithm of the rows' probability when the effects are unknown but for their deviation, less
  /// that without effects: each item's integral over b by Laplace's approximation at its most
  /// likely b.
  double log_evidence(double deviation) const;

  /// Empirical Bayes: the deviation in [kLeast, kMost] under which the rows are likeliest, to three
  /// digits.
  double likeliest_deviation() const;
  static constexpr double kLeast = 1e-3, kMost = 10;

 private:
  struct Row {
    float logit, label, weight;
  };
  struct Fit {
    double effect = 0;
    double gain = 0;       ///< of the objective, over b = 0
    double curvature = 0;  ///< of the rows' log loss at b
  };
  Fit fit_item(std::size_t item, double deviation) const;

  std::vector<std::size_t> begin_;  ///< [items + 1]
  std::vector<Row> rows_;           ///< item by item
};

}  // namespace limber
