#pragma once

#include "limber/companions/assign/diversity_measure.h"

namespace limber::assign {

/// The share of ties whose two ends are of different groups, in [0, 1]; 0 without ties. (One minus
/// it is the share of homophilous ties; Krackhardt and Stern's E-I index is twice it minus one.)
class CrossTies final : public DiversityMeasure {
 public:
  using DiversityMeasure::DiversityMeasure;

  double value() const override;
  /// As if every tie that has a vacant end were to join two groups.
  double upper_bound() const override;

 private:
  void count(Node node, Group group, std::int32_t sign) override;

  std::int64_t cross_ = 0;
  std::int64_t all_ = 0;  ///< ties between filled nodes
};

}  // namespace limber::assign
