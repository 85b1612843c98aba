#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/companions/assign/network.h"

namespace limber::assign {

/// How mixed one attribute's groups are in a network; higher is more diverse. The measure follows
/// the network while nodes move between groups, at a cost of the moved node's neighbourhood, and
/// sees only filled nodes: a tie with a vacant end is as if it were not there.
class DiversityMeasure {
 public:
  /// Every node starts vacant. The network must outlive the measure.
  DiversityMeasure(const Network& network, Group groups)
      : network_(network),
        groups_(groups),
        group_of_(static_cast<std::size_t>(network.size()), kNone) {}
  virtual ~DiversityMeasure() = default;
  DiversityMeasure(const DiversityMeasure&) = delete;
  DiversityMeasure& operator=(const DiversityMeasure&) = delete;

  /// Puts `node` into `group`, from wherever it was; kNone makes it vacant.
  void move(Node node, Group group) {
    Group& now = group_of_[static_cast<std::size_t>(node)];
    if (now == group) return;
    if (now != kNone) {
      const Group old = now;
      now = kNone;
      count(node, old, -1);
    }
    if (group != kNone) {
      count(node, group, +1);
      now = group;
    }
  }
  Group group(Node node) const { return group_of_[static_cast<std::size_t>(node)]; }

  virtual double value() const = 0;
  /// No way of filling the vacant nodes gives a higher value. May walk the whole network.
  virtual double upper_bound() const = 0;

 protected:
  /// Adds (sign = +1) or takes away (-1) what it means that `node`, which is vacant during the
  /// call, is in `group`.
  virtual void count(Node node, Group group, std::int32_t sign) = 0;

  const Network& network() const { return network_; }
  Group groups() const { return groups_; }

 private:
  const Network& network_;
  Group groups_;
  std::vector<Group> group_of_;
};

/// A measure that `limber assign --measure` offers.
struct MeasureDescription {
  std::string_view name;     ///< as on the command line
  std::string_view title;    ///< as in the report
  std::string_view meaning;  ///< one sentence
  double ceiling;            ///< no network has more
  std::unique_ptr<DiversityMeasure> (*make)(const Network&, Group groups);
};

/// All of them.
std::span<const MeasureDescription> measures();

/// Throws InputError, with the nearest name, for an unknown one.
const MeasureDescription& measure_named(std::string_view name);

}  // namespace limber::assign
