#pragma once

#include "limber/companions/assign/diversity_measure.h"

namespace limber::assign {

/// Minus the unfairness with which information passes between groups; Limber's choice, in the
/// spirit of Jalali et al., "On the information unfairness of social networks" (2020): compare the
/// flow between every two groups, and call the worst contrast unfair.
///
/// What one person tells passes each tie with probability q = 1/2. The flow between two people is
/// the expected number of times it arrives by walks of one or two ties, and the flow between
/// groups g and h, their members counted n_g and n_h, is its mean over pairs of different people:
///
///     F_gh = (q * T_gh + q^2 * W_gh) / (n_g * n_h),   F_gg with n_g * (n_g - 1) below the line
///
/// T_gh counts ties from g to h (both directions within a group), W_gh walks of two ties that do
/// not return to where they began. The unfairness is (max F - min F) / (max F + min F), in [0, 1],
/// over all pairs of groups that have two different people; 0 where nothing flows at all.
class InformationUnfairness final : public DiversityMeasure {
 public:
  static constexpr double kPassing = 0.5;

  InformationUnfairness(const Network& network, Group groups);

  double value() const override;
  double upper_bound() const override { return 0; }

 private:
  void count(Node node, Group group, std::int32_t sign) override;
  std::size_t cell(Group row, Group column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(groups()) +
           static_cast<std::size_t>(column);
  }

  std::vector<std::int64_t> size_;                 ///< filled nodes by group
  std::vector<std::int64_t> ties_;                 ///< [group][group], symmetric
  std::vector<std::int64_t> walks_;                ///< [group][group], those that return included
  std::vector<std::int32_t> neighbours_of_group_;  ///< [node][group], filled ones
};

}  // namespace limber::assign
