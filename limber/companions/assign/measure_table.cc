#include "limber/companions/assign/measure_table.h"

#include <numeric>

namespace limber::assign {

MeasureTable::MeasureTable(const Instance& instance) : instance_(instance) {
  for (const MeasureDescription& measure : measures()) {
    by_measure_.push_back(std::make_unique<Diversity>(instance, measure));
  }
}

std::vector<std::vector<double>> MeasureTable::values(const Assignment& assignment) {
  std::vector<std::vector<double>> result;
  for (const auto& diversity : by_measure_) {
    for (Position p = 0; p < instance_.position_count(); ++p) {
      const Candidate candidate = assignment[static_cast<std::size_t>(p)];
      diversity->fill(p, candidate == kNone
                             ? kNone
                             : instance_.profile_of[static_cast<std::size_t>(candidate)]);
    }
    result.emplace_back();
    for (std::size_t a = 0; a < instance_.attributes.size(); ++a) {
      result.back().push_back(diversity->value(a));
    }
  }
  return result;
}

std::vector<double> over_attributes(const std::vector<std::vector<double>>& values) {
  std::vector<double> means;
  for (const std::vector<double>& row : values) {
    means.push_back(std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(row.size()));
  }
  return means;
}

}  // namespace limber::assign
