#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limber/serving/rows/served_model.h"

namespace limber {

/// Labels of an interaction by name, 0 or 1, where they do not follow from its columns.
using NamedLabels = std::vector<std::pair<std::string, double>>;

/// The latest values of a member's sequence features, as rows of their embedding tables.
using LatestValues = std::vector<std::vector<std::int32_t>>;

/// A member's interactions on a workbench, the oldest first, and the adaptation to them. Takes the
/// workbench's interactions for itself; model, workbench and the member's name must outlive it.
class MemberRows {
 public:
  MemberRows(const ServedModel& model, Workbench& bench, std::string_view member);

  /// Takes an interaction; whatever its task column says, it is this member's. Throws BadField, and
  /// keeps nothing of it.
  void add(FieldRow& row, const NamedLabels& named = {});

  /// Whether any label of the row, which add() would take, is known.
  static bool has_label(const RequestSchema& schema, const FieldRow& row);

  struct Result {
    std::int64_t interactions = 0;  ///< that the adaptation looked at
    LatestValues sequences;
  };
  /// Adapts to as many of the last rows as the model looks at; none makes a member nobody has seen.
  /// The rows are spent.
  Result adapt(MemberVector& vector);

 private:
  const ServedModel& model_;
  Workbench& bench_;
  std::string_view member_;
};

}  // namespace limber
