#pragma once

#include <string_view>
#include <vector>

#include "limber/serving/rows/member_rows.h"
#include "limber/serving/rows/ranked_candidate.h"

namespace limber {

/// Index of a label by name; the first one for an empty name. Throws InputError.
std::size_t label_index(const RuntimeModel& model, std::string_view label);

/// Scores the rows in the bench's `candidates` as those of one member. Best first by `label`, of
/// equals the earlier one; at most `limit`, all for 0.
std::vector<RankedCandidate> rank_rows(const ServedModel& model, Workbench& bench,
                                       const MemberVector& member, const LatestValues& sequences,
                                       std::size_t label, std::size_t limit);

}  // namespace limber
