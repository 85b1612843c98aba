#include "limber/companions/assign/check_instance.h"

#include <fmt/format.h>

#include <algorithm>

#include "limber/companions/assign/feasibility.h"
#include "limber/companions/assign/fitness_scale.h"
#include "limber/companions/assign/table_rows.h"
#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

/// Reads a table of candidates and positions once more, for the row of this pair, to complain of
/// it.
[[noreturn]] void fail_at(const InstanceFiles& files, const std::string& pattern,
                          const std::string& table, const std::string& column,
                          const Instance& instance, Position position, Candidate candidate,
                          const std::string& what) {
  const std::string& who = instance.candidate_names[static_cast<std::size_t>(candidate)];
  const std::string& where = instance.position_name(position);
  std::vector<std::string> columns = {files.column(table, "candidate"),
                                      files.column(table, "position")};
  if (column == "fitness") columns.push_back(files.column(table, column));
  read_table(pattern, columns, [&](const TableRow& row) {
    if (text_of(row.key(0)) == who && text_of(row.key(1)) == where) {
      row.fail(column == "fitness" ? 2 : 0, what);
    }
  });
  throw InputError("{}: changed while it was read: candidate {} and position {} are gone", pattern,
                   who, where);
}

void check_fitness_scale(const ReadInstance& read, const InstanceFiles& files) {
  const std::optional<Outlier> outlier = farthest_outlier(read.instance);
  if (!outlier || outlier->ratio <= kMostOutlying) return;
  const PositionedPair& pair = outlier->pair;
  fail_at(files, files.fitness, "fitness", "fitness", read.instance, pair.position, pair.candidate,
          fmt::format("{} lies {:.0e} times as far behind the fittest as other candidates do, who "
                      "could not be told apart beside it; leave the pair out of the table if the "
                      "candidate must not get the position, else give a number of the others' size",
                      pair.fitness, outlier->ratio));
}

/// Why nothing is feasible, or "".
std::string obstacle(const Instance& instance, const std::string& origin) {
  try {
    check_feasible(instance, origin);
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

/// The first of the fixed assignments, by position, that together with those before it leaves no
/// assignment. Fixing more never helps, so halving finds it.
void check_fixed(const ReadInstance& read, const InstanceFiles& files, const std::string& origin) {
  if (obstacle(read.instance, origin).empty()) return;
  std::size_t good = 0, bad = read.fixed.size();  // how many positions may be fixed
  const auto with_first = [&](std::size_t count) {
    Assignment fixed = read.fixed;
    std::fill(fixed.begin() + static_cast<std::ptrdiff_t>(count), fixed.end(), kNone);
    Instance instance = read.unfixed;
    fix_assignments(instance, fixed);
    return obstacle(instance, origin);
  };
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    (with_first(middle).empty() ? good : bad) = middle;
  }
  const auto position = static_cast<Position>(bad - 1);
  const Candidate candidate = read.fixed[bad - 1];
  fail_at(files, files.fixed, "fixed", "candidate", read.unfixed, position, candidate,
          fmt::format("with candidate {} fixed at position {} the others cannot all be filled, "
                      "without it they could; remove this row or another fixed one ({})",
                      read.unfixed.candidate_names[static_cast<std::size_t>(candidate)],
                      read.unfixed.position_name(position), with_first(bad)));
}

}  // namespace

void check_instance(const ReadInstance& read, const InstanceFiles& files) {
  // From the least constrained to the most: the file at fault is that which takes the last way out.
  if (read.listed) check_feasible(*read.listed, files.fitness);
  const std::string& origin = read.listed ? files.eligible : files.fitness;
  check_feasible(read.unfixed, origin);
  if (!files.fixed.empty()) check_fixed(read, files, origin);
  check_fitness_scale(read, files);
}

}  // namespace limber::assign
