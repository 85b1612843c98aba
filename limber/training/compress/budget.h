#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "limber/core/config/compress_options.h"
#include "limber/training/compress/network.h"
#include "limber/training/compress/projection.h"

namespace limber {

/// How many groups each weight keeps, and how many weights that leaves.
///
/// A target is met by one share for all weights that have none of their own in compress.keep_of:
/// it is the same whatever the weights are at the moment, empties no layer, and two runs on other
/// seeds give networks of one shape. (A common threshold on the groups' norms would need norms of
/// different layers to mean the same; with crosses, gates and hidden layers they do not.)
class Budget {
 public:
  /// Throws InputError for a name in compress.layers or compress.keep_of that is no weight's, for
  /// structure: units on a weight whose units cannot be removed, where no layer is hidden and none
  /// is named, and for shares under which nothing goes.
  Budget(const std::vector<CompressibleWeight>& weights, const CompressOptions& options);

  /// Weights that compression acts on, as indices into the weights.
  const std::vector<std::size_t>& selected() const { return selected_; }
  /// Of a selected weight. Under structure: units the bias is one more row of the matrix, so that a
  /// unit's norm is that of all that makes it.
  const PruningGroups& groups(std::size_t weight) const { return groups_.at(weight); }
  /// By weight: the share that it keeps where those without their own keep `share`; 1 for those
  /// that are not selected.
  std::vector<double> shares(double share) const;

  /// Elements of all weights, biases apart.
  std::int64_t elements() const { return elements_; }
  /// The most that can be left of them under shares(share).
  std::int64_t most_left(double share) const;
  /// elements() / most_left(0): no target above can be promised.
  double highest_ratio() const;
  /// The largest share, to within rounding, that leaves elements() / ratio weights or fewer. Throws
  /// InputError that says which layer stands in the way.
  double share_for(double ratio) const;

 private:
  struct Weight {
    std::string name;
    std::int64_t inputs, outputs;
    std::vector<UnitReader> readers;
    std::string tied;
    bool selected = false;
    double own_share = -1;  ///< of compress.keep_of; -1: none
  };
  std::vector<std::int64_t> left_by_weight(double share) const;
  [[noreturn]] void refuse(double ratio) const;

  std::vector<Weight> weights_;
  std::vector<std::size_t> selected_;
  std::map<std::size_t, PruningGroups> groups_;
  bool units_;
  std::string noun_;
  std::int64_t elements_ = 0;
};

/// Elements that are left of each matrix when units go: `removed` says of each weight how many of
/// its units do; what read them goes with them. Of tied weights as many go as of the one that
/// loses the fewest.
std::vector<std::int64_t> elements_without_units(const std::vector<CompressibleWeight>& weights,
                                                 const std::vector<std::int64_t>& removed);

/// The nearest of some weights' names, or all of them where none is near: the end of a message.
std::string known_weights(const std::string& name, const std::vector<CompressibleWeight>& weights);

}  // namespace limber
