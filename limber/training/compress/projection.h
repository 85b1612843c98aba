#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/config/option_types.h"

namespace limber {

/// How the elements of a matrix [inputs, outputs] fall into groups that are pruned together
/// (compress.structure, after Yuan et al. 2019, arXiv 1908.11691, section on structured pruning of
/// memristor crossbars):
///
///   units    a column of the matrix: a unit, or a filter
///   rows     a row of a tile; every tile keeps as many, so that their work is even
///   columns  a column of a tile, likewise
///   blocks   a tile; those at the edge are smaller
class PruningGroups {
 public:
  /// `block`: rows and columns of a tile.
  PruningGroups(const std::string& structure, const Sizes& block, std::int64_t inputs,
                std::int64_t outputs);

  std::int64_t groups() const { return groups_; }
  /// How many stay under that share: of each pool of groups (a tile's lines, or all groups) the
  /// nearest number, and at least one.
  std::int64_t kept_groups(double share) const;
  /// The most elements that can stay then: tiles at the edge have fewer than others.
  std::int64_t kept_elements(double share) const;

  /// The Euclidean projection of `matrix` onto those that have only kept_groups(share) groups
  /// which are not all zero: the mask [inputs, outputs], bool, on the CPU, of what the nearest one
  /// leaves as it is. Groups of equal norm stay in the order of their index. The sum of squares is
  /// what counts, not its mean: then the projection is exact.
  torch::Tensor project(const torch::Tensor& matrix, double share) const;

  /// How many groups have an element that `mask` keeps.
  std::int64_t count_kept(const torch::Tensor& mask) const;

 private:
  std::int64_t keep_of_pool(std::int64_t pool, double share) const;

  std::int64_t inputs_, outputs_, groups_ = 0;
  torch::Tensor group_of_;                 ///< int64 [inputs * outputs]: group of each element
  std::vector<std::int64_t> pool_starts_;  ///< first group of each pool, and one past the last
  std::vector<std::int64_t> sizes_;        ///< elements of each group
};

}  // namespace limber
