#pragma once

#include <memory>
#include <vector>

#include "limber/companions/assign/diversity.h"
#include "limber/companions/assign/instance.h"

namespace limber::assign {

/// Every measure of one assignment after another.
class MeasureTable {
 public:
  /// The instance must outlive this.
  explicit MeasureTable(const Instance& instance);

  /// [measure][attribute], measures in the order of measures(). kNone leaves a position open.
  std::vector<std::vector<double>> values(const Assignment& assignment);

 private:
  const Instance& instance_;
  std::vector<std::unique_ptr<Diversity>> by_measure_;
};

/// The mean over attributes, by measure.
std::vector<double> over_attributes(const std::vector<std::vector<double>>& values);

}  // namespace limber::assign
