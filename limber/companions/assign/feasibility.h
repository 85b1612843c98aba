#pragma once

#include <string>

#include "limber/companions/assign/instance.h"

namespace limber::assign {

/// Throws an InputError when no assignment fills every position within the quotas. It names a
/// position that cannot be filled and why: a set of positions that together have fewer eligible
/// candidates than there are positions (Hall's theorem, 1935; with quotas, the cut of
/// Ford and Fulkerson, which names the quotas that are full), or the quota that cannot be met.
/// `origin` is what to name as the place to mend: the table that says which pairs are eligible.
void check_feasible(const Instance& instance, const std::string& origin);

}  // namespace limber::assign
