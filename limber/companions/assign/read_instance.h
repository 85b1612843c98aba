#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limber/companions/assign/instance.h"

namespace limber::assign {

/// The tables of an instance: files, folders or globs of CSV, CSV.gz or Parquet. Columns have the
/// names below unless `columns` says otherwise ("fitness.candidate" -> "member_id").
///
///     edges       from, to                     one tie a row; direction and repetition are ignored
///     nodes       node, each attribute         everyone in the network
///     positions   position                     the nodes that are open
///     candidates  candidate, each attribute    and the column that quotas speak of
///     fitness     candidate, position, fitness the eligible pairs; larger is fitter
///     eligible    candidate, position          leaves only those pairs of `fitness`
///     fixed       candidate, position          decided already
///     quotas      column, value, at_least, at_most   an empty at_least is 0, an empty at_most none
///     given       candidate, position          an assignment to compare
struct InstanceFiles {
  std::string edges, nodes, positions, candidates, fitness;
  std::string eligible, fixed, quotas, given;  ///< "" = none
  std::vector<std::string> attributes;
  std::map<std::string, std::string> columns;

  /// What the column `name` of `table` is called in the files.
  std::string column(const std::string& table, const std::string& name) const;
};

/// The names that `columns` may rename, as "table.column".
const std::vector<std::string>& renamable_columns();

struct GivenAssignment {
  Assignment assignment;          ///< empty: none was given
  std::int64_t broken_fixed = 0;  ///< fixed assignments that it does not keep
  std::vector<std::string> broken_quotas;
};

struct ReadInstance {
  Instance instance;
  /// As `instance`, before fixed assignments took pairs away; `given` lives in this one.
  Instance unfixed;
  /// As `unfixed`, with all pairs of the fitness table; only where --eligible left some out.
  std::optional<Instance> listed;
  Assignment fixed;  ///< kNone for a position that is not
  GivenAssignment given;
  std::int64_t repeated_ties = 0;  ///< rows of edges that named a known tie
};

/// Reads and checks everything. An open position's own attributes are not looked at: nobody is
/// there. Nor may a candidate be a node, unless that is an open position. Throws an InputError that
/// names file, row, column and remedy.
ReadInstance read_instance(const InstanceFiles& files);

}  // namespace limber::assign
