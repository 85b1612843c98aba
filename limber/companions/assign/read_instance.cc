#include "limber/companions/assign/read_instance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "limber/companions/assign/read_network.h"
#include "limber/companions/assign/table_rows.h"
#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/data/vocabulary.h"

namespace limber::assign {
namespace {

constexpr double kLargestFitness = 1e200;  ///< sums and products of ranges stay finite

class Reading : private NetworkReading {
 public:
  explicit Reading(const InstanceFiles& files) : NetworkReading(files) {}

  ReadInstance run() {
    read_positions();
    read_nodes();
    read_edges();
    read_quotas();
    read_candidates();
    read_fitness();
    ReadInstance result;
    if (!files_.eligible.empty()) result.listed = instance_;
    narrow_to_eligible();
    result.repeated_ties = repeated_ties_;
    result.instance = instance_;
    const Assignment fixed = read_fixed();
    fix_assignments(result.instance, fixed);
    result.fixed = fixed;
    if (!files_.given.empty()) result.given = read_given(fixed);
    result.unfixed = std::move(instance_);
    return result;
  }

 private:
  void read_quotas() {
    if (files_.quotas.empty()) return;
    read_table(files_.quotas,
               {column("quotas", "column"), column("quotas", "value"), column("quotas", "at_least"),
                column("quotas", "at_most")},
               [&](const TableRow& row) {
                 const std::string of = text_of(row.key(0));
                 if (quota_column_.empty()) quota_column_ = of;
                 if (of != quota_column_) {
                   row.fail(0, fmt::format("quotas speak of one column of the candidates, and {} "
                                           "was named before; make one column of both",
                                           quota_column_));
                 }
                 Quota quota;
                 const Key value = row.key(1);
                 quota.name = fmt::format("{} = {}", of, text_of(value));
                 quota.at_least = row.is_missing(2) ? 0 : row.count(2);
                 quota.at_most =
                     row.is_missing(3) ? std::numeric_limits<std::int32_t>::max() : row.count(3);
                 if (quota.at_least > quota.at_most) {
                   row.fail(3, "is less than at_least; nothing can be in between");
                 }
                 if (at(quota_values_.add(value) - 1) != instance_.quotas.size()) {
                   row.fail(1, "has a quota already; keep one row of it");
                 }
                 instance_.quotas.push_back(std::move(quota));
               });
  }

  void read_candidates() {
    std::vector<std::string> columns = with_attributes(column("candidates", "candidate"));
    if (!quota_column_.empty()) columns.push_back(quota_column_);
    // A table hands out a column once: a quota of a protected attribute reads that attribute's.
    std::size_t quota_at = columns.size() - 1;
    for (std::size_t c = 0; !quota_column_.empty() && c + 1 < columns.size(); ++c) {
      if (columns[c] == quota_column_) {
        quota_at = c;
        columns.pop_back();
      }
    }
    std::vector<std::vector<Group>> groups;
    std::vector<std::int64_t> members(instance_.quotas.size(), 0);
    read_table(files_.candidates, columns, [&](const TableRow& row) {
      const Key key = row.key(0);
      if (at(candidates_.add(key) - 1) != groups.size()) {
        row.fail(0, fmt::format("candidate {} is there already; keep one row", text_of(key)));
      }
      // Who leaves an open position may be a candidate; who stays would be in the network twice.
      if (const Node node = nodes_.find(key) - 1; node >= 0 && position_at_[at(node)] == kNone) {
        row.fail(0, fmt::format("{} is a node of {} already and would count twice: add the node to "
                                "{} if that person may move, remove this row if not; two people "
                                "need two names",
                                text_of(key), files_.nodes, files_.positions));
      }
      instance_.candidate_names.push_back(text_of(key));
      groups.emplace_back();
      for (std::size_t a = 0; a < groups_.size(); ++a) {
        groups.back().push_back(group_of(row, a, a + 1));
      }
      if (quota_column_.empty()) return;
      const std::int32_t quota =
          row.is_missing(quota_at) ? kNone : quota_values_.find(row.key(quota_at)) - 1;
      instance_.quota_of.push_back(quota);
      if (quota != kNone) ++members[at(quota)];
    });
    for (std::size_t q = 0; q < members.size(); ++q) {
      if (members[q] == 0) {
        throw InputError("{}: quota {}: no candidate of {} has this value; correct or remove it",
                         files_.quotas, instance_.quotas[q].name, files_.candidates);
      }
    }
    set_profiles(instance_, groups);
  }

  Candidate candidate_of(const TableRow& row, std::size_t column) const {
    const Key key = row.key(column);
    const Candidate candidate = candidates_.find(key) - 1;
    if (candidate < 0) {
      row.fail(column, fmt::format("{} is no candidate of {}; add its row there or remove this one",
                                   text_of(key), files_.candidates));
    }
    return candidate;
  }
  Position position_of(const TableRow& row, std::size_t column) const {
    const Key key = row.key(column);
    const Node node = nodes_.find(key) - 1;
    const Position position = node < 0 ? kNone : position_at_[at(node)];
    if (position == kNone) {
      row.fail(column, fmt::format("{} is no open position of {}; add it there or remove this row",
                                   text_of(key), files_.positions));
    }
    return position;
  }
  static std::int64_t pair_id(Position position, Candidate candidate) {
    return (static_cast<std::int64_t>(position) << 32) | candidate;
  }

  /// The rows of a table of candidates and positions.
  void read_pairs(const std::string& pattern, const std::string& table, bool with_fitness,
                  const std::function<void(const TableRow&, Position, Candidate)>& take) const {
    std::vector<std::string> columns = {column(table, "candidate"), column(table, "position")};
    if (with_fitness) columns.push_back(column(table, "fitness"));
    read_table(pattern, columns, [&](const TableRow& row) {
      const Candidate candidate = candidate_of(row, 0);
      take(row, position_of(row, 1), candidate);
    });
  }

  void read_fitness() {
    std::vector<PositionedPair> pairs;
    std::unordered_set<std::int64_t> seen;
    read_pairs(files_.fitness, "fitness", true,
               [&](const TableRow& row, Position position, Candidate candidate) {
                 if (!seen.insert(pair_id(position, candidate)).second) {
                   row.fail(1, fmt::format("candidate {} has a fitness for position {} already; "
                                           "keep one row",
                                           instance_.candidate_names[at(candidate)],
                                           instance_.position_name(position)));
                 }
                 const double fitness = row.finite(2);
                 if (std::abs(fitness) > kLargestFitness) {
                   row.fail(2, fmt::format("{} is beyond {}, so that sums may overflow; give "
                                           "smaller numbers, any scale will do",
                                           fitness, kLargestFitness));
                 }
                 pairs.push_back({position, candidate, fitness});
               });
    set_pairs(instance_, std::move(pairs));
  }

  void narrow_to_eligible() {
    if (files_.eligible.empty()) return;
    std::unordered_set<std::int64_t> listed;
    read_pairs(files_.eligible, "eligible", false,
               [&](const TableRow& row, Position position, Candidate candidate) {
                 check_fitness_known(row, position, candidate);
                 listed.insert(pair_id(position, candidate));
               });
    std::vector<PositionedPair> kept;
    for (Position p = 0; p < instance_.position_count(); ++p) {
      for (const Pair& pair : instance_.pairs_of(p)) {
        if (listed.contains(pair_id(p, pair.candidate))) {
          kept.push_back({p, pair.candidate, pair.fitness});
        }
      }
    }
    set_pairs(instance_, std::move(kept));
  }

  void check_fitness_known(const TableRow& row, Position position, Candidate candidate) const {
    if (instance_.find(position, candidate) != nullptr) return;
    row.fail(
        0, fmt::format("candidate {} is not eligible for position {}: no such row in {}{}; add "
                       "it there or remove this row",
                       instance_.candidate_names[at(candidate)], instance_.position_name(position),
                       files_.fitness, files_.eligible.empty() ? "" : " and " + files_.eligible));
  }

  /// Positions and candidates, each once.
  Assignment read_assignment(const std::string& pattern, const std::string& table) const {
    Assignment assignment(instance_.positions.size(), kNone);
    std::unordered_map<Candidate, Position> taken;
    read_pairs(
        pattern, table, false, [&](const TableRow& row, Position position, Candidate candidate) {
          check_fitness_known(row, position, candidate);
          if (assignment[at(position)] != kNone) {
            row.fail(1, fmt::format("position {} has candidate {} already; keep one row",
                                    instance_.position_name(position),
                                    instance_.candidate_names[at(assignment[at(position)])]));
          }
          const auto [where, is_new] = taken.emplace(candidate, position);
          if (!is_new) {
            row.fail(0, fmt::format("candidate {} has position {} already; keep one row",
                                    instance_.candidate_names[at(candidate)],
                                    instance_.position_name(where->second)));
          }
          assignment[at(position)] = candidate;
        });
    return assignment;
  }

  Assignment read_fixed() const {
    if (files_.fixed.empty()) return Assignment(instance_.positions.size(), kNone);
    return read_assignment(files_.fixed, "fixed");
  }

  GivenAssignment read_given(const Assignment& fixed) const {
    GivenAssignment given;
    given.assignment = read_assignment(files_.given, "given");
    for (Position p = 0; p < instance_.position_count(); ++p) {
      const Candidate candidate = given.assignment[at(p)];
      if (candidate == kNone) {
        throw InputError("{}: position {} has no candidate; a given assignment fills them all",
                         files_.given, instance_.position_name(p));
      }
      if (fixed[at(p)] != kNone && fixed[at(p)] != candidate) ++given.broken_fixed;
    }
    std::vector<std::int32_t> filled(instance_.quotas.size(), 0);
    for (const Candidate candidate : given.assignment) {
      if (instance_.quotas.empty()) break;
      if (const std::int32_t q = instance_.quota_of[at(candidate)]; q != kNone) ++filled[at(q)];
    }
    for (std::size_t q = 0; q < filled.size(); ++q) {
      const Quota& quota = instance_.quotas[q];
      if (filled[q] < quota.at_least || filled[q] > quota.at_most) {
        given.broken_quotas.push_back(fmt::format("{}: {} assigned", quota.name, filled[q]));
      }
    }
    return given;
  }

  Vocabulary candidates_, quota_values_;
  std::string quota_column_;
};

}  // namespace

std::string InstanceFiles::column(const std::string& table, const std::string& name) const {
  const auto at = columns.find(table + "." + name);
  return at == columns.end() ? name : at->second;
}

const std::vector<std::string>& renamable_columns() {
  static const std::vector<std::string> names = {
      "edges.from",           "edges.to",          "nodes.node",       "positions.position",
      "candidates.candidate", "fitness.candidate", "fitness.position", "fitness.fitness",
      "eligible.candidate",   "eligible.position", "fixed.candidate",  "fixed.position",
      "quotas.column",        "quotas.value",      "quotas.at_least",  "quotas.at_most",
      "given.candidate",      "given.position"};
  return names;
}

ReadInstance read_instance(const InstanceFiles& files) {
  for (const auto& [name, to] : files.columns) {
    const auto& known = renamable_columns();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw InputError("column {}={}: no table has this column{}; there are {}", name, to,
                       did_you_mean(name, known), fmt::format("{}", fmt::join(known, ", ")));
    }
  }
  return Reading(files).run();
}

}  // namespace limber::assign
