#pragma once

#include <optional>
#include <string>
#include <vector>

#include "limber/companions/assign/given_comparison.h"
#include "limber/companions/assign/instance.h"
#include "limber/companions/assign/solve.h"

namespace limber::assign {

/// One assignment beside others: a line of the table that the command prints and the report shows.
struct ComparedAssignment {
  std::string name;
  std::optional<double> fitness;  ///< none while positions are open
  std::vector<double> measures;   ///< means over attributes, in the order of measures()
};

/// All that is written and shown of a finished run.
struct Results {
  const Instance* instance = nullptr;
  const MeasureDescription* measure = nullptr;
  const Solution* solution = nullptr;
  SweepPoint chosen;
  Assignment given;  ///< empty: none
  std::optional<GivenComparison> comparison;
  std::vector<ComparedAssignment> table;
  std::vector<std::string> notes;  ///< what a reader must know of this run, plain text
};

/// Compares, and fills `table`. `instance` must hold the pairs of `given` (empty: none).
Results make_results(const Instance& instance, const MeasureDescription& measure,
                     const Solution& solution, double trade_off, const Assignment& given);

/// position,candidate,fitness and the candidate's attributes; a line a position.
std::string assignment_csv(const Results& results);
/// A line a point of the front: point, fitness, mean fitness, diversity, the trade-offs for which
/// it is the best, and every measure of every attribute.
std::string front_csv(const Results& results);
/// point,position,candidate: the assignments behind the points of front_csv.
std::string front_assignments_csv(const Results& results);
/// The numbers of all this in JSON, for programs.
std::string summary_json(const Results& results);
/// The table as the command prints it.
std::string table_text(const Results& results);

/// A field of a CSV file, quoted where it must be (RFC 4180).
std::string csv_field(const std::string& text);

}  // namespace limber::assign
