#pragma once

#include "limber/companions/assign/diversity_measure.h"

namespace limber::assign {

/// The share of a node's neighbours that are of other groups than its own, averaged over the nodes
/// that have neighbours: what the network looks like from where people sit, in [0, 1]. Every node
/// weighs the same, where in CrossTies the well-connected weigh more.
class Exposure final : public DiversityMeasure {
 public:
  Exposure(const Network& network, Group groups);

  double value() const override;
  /// As if every vacant node were to differ from all its neighbours.
  double upper_bound() const override;

 private:
  void count(Node node, Group group, std::int32_t sign) override;
  double share(std::size_t node) const;

  std::vector<std::int32_t> filled_;  ///< filled neighbours, by node
  std::vector<std::int32_t> others_;  ///< of those, of other groups; only of filled nodes
  double sum_ = 0;                    ///< of the shares of exposed nodes
  std::int64_t exposed_ = 0;          ///< filled nodes with filled neighbours
};

}  // namespace limber::assign
