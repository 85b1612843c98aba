#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "limber/serving/rows/member_rows.h"
#include "limber/serving/rows/ranked_candidate.h"

namespace limber {

/// Index of a label by name. Throws InputError.
std::size_t label_index(const RuntimeModel& model, std::string_view label);

/// What candidates are ordered by: a label's probability, or the model's own score (model.score in
/// its config), the weighted sum of all labels' probabilities.
using RankBy = std::optional<std::size_t>;
/// The label of that name; for an empty name the model's score, or its first label if it has none.
RankBy rank_by(const RuntimeModel& model, std::string_view label);

/// Scores the rows in the bench's `candidates` as those of one member. Best first, of equals the
/// earlier one; at most `limit`, all for 0. With an `explore` above 0, and a model that knows how
/// uncertain its last layers are, the scores are those of one draw of these layers, which deviates
/// by so many of their deviations (Thompson sampling, one draw a request).
std::vector<RankedCandidate> rank_rows(const ServedModel& model, Workbench& bench,
                                       const MemberVector& member, const LatestValues& sequences,
                                       RankBy by, std::size_t limit, double explore = 0);

}  // namespace limber
