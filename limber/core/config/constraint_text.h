#pragma once

#include <string>

#include "limber/core/config/constraint.h"

namespace limber {

/// What a constraint allows, in words that follow "is not" in a message and stand alone on the
/// options page: "between 0 and 1", "at least 1", "greater than 0", "one of adam, sgd"; empty when
/// everything is allowed.
std::string constraint_text(const Constraint& constraint);

/// Whether the number satisfies the constraint's range.
bool in_range(const Constraint& constraint, double value);

}  // namespace limber
