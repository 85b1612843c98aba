#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limber {

/// Area under the ROC curve: the probability that a random positive row scores above a random
/// negative one, a tie counting one half. Exact, O(n log n). Weighted, both rows are drawn in
/// proportion to their weights. Only the order of the scores matters, so logits serve.
/// NaN when one class is missing. Throws as check_rows.
double auc(std::span<const float> scores, std::span<const float> labels,
           std::span<const float> weights = {});

/// The same rows sorted once, for many AUCs under different group multiplicities: O(n) each.
class SortedRows {
 public:
  /// `groups`: the group number of each row, or empty when no multiplicities will be given. The
  /// caller has checked the rows.
  SortedRows(std::span<const float> scores, std::span<const float> labels,
             std::span<const float> weights = {}, std::span<const std::uint32_t> groups = {});

  /// AUC where each row counts as often as its group: multiplicity[group] times its weight.
  double auc(std::span<const float> multiplicity) const;
  /// AUC of the rows as they are.
  double auc() const;

 private:
  struct Row {
    float positive;  // the row's weight when its label is 1, else 0
    float negative;  // the row's weight when its label is 0, else 0
    std::uint32_t group;
    bool last_of_tie;
  };
  template <class Multiplicity>
  double walk(Multiplicity&& multiplicity) const;

  std::vector<Row> rows_;
};

}  // namespace limber
