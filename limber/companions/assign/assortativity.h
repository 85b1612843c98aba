#pragma once

#include "limber/companions/assign/diversity_measure.h"

namespace limber::assign {

/// Minus the absolute value of Newman's assortativity coefficient of a categorical attribute
/// (Newman, "Mixing patterns in networks", 2003, equation 2):
///
///     r = (sum_i e_ii - sum_i a_i^2) / (1 - sum_i a_i^2)
///
/// with e_ij the share of tie ends that join group i to group j and a_i the share of tie ends at
/// group i. Where all ties are within one group r is 0/0; it counts as 1 here, the value of any
/// other network whose ties never leave their group. Without ties it counts as 0.
class Assortativity final : public DiversityMeasure {
 public:
  Assortativity(const Network& network, Group groups)
      : DiversityMeasure(network, groups), ends_(static_cast<std::size_t>(groups), 0) {}

  double value() const override;
  double upper_bound() const override { return 0; }
  /// r itself, with its sign.
  double coefficient() const;

 private:
  void count(Node node, Group group, std::int32_t sign) override;
  void add_end(Group group, std::int64_t sign);

  std::vector<std::int64_t> ends_;  ///< tie ends by group
  std::int64_t squared_ends_ = 0;   ///< sum of ends_[i]^2
  std::int64_t within_ = 0;         ///< ties inside a group
  std::int64_t all_ = 0;            ///< ties between filled nodes
};

}  // namespace limber::assign
