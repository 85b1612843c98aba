#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "limber/companions/assign/diversity_measure.h"
#include "limber/companions/assign/instance.h"

namespace limber::assign {

/// One measure over all attributes of an instance: the mean of its values. Positions start open.
class Diversity {
 public:
  /// The instance must outlive this.
  Diversity(const Instance& instance, const MeasureDescription& measure);

  /// Puts someone of a profile at a position; kNone opens it.
  void fill(Position position, std::int32_t profile);

  double value() const;
  double value(std::size_t attribute) const { return by_attribute_[attribute]->value(); }
  /// No network gives more.
  double ceiling() const { return ceiling_; }
  /// No way of filling the open positions gives more.
  double upper_bound() const;

 private:
  const Instance& instance_;
  double ceiling_;
  std::vector<std::unique_ptr<DiversityMeasure>> by_attribute_;
};

}  // namespace limber::assign
