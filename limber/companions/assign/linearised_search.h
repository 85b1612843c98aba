#pragma once

#include <vector>

#include "limber/companions/assign/assignment_state.h"
#include "limber/companions/assign/deadline.h"
#include "limber/companions/assign/front.h"
#include "limber/companions/assign/matching.h"

namespace limber::assign {

/// For each of instance.pairs what the reward would gain were that candidate at that position and
/// all else as in `state`, up to a constant per position: the objective linearised around `state`.
/// Where `state` has open positions, its ties to them do not count yet.
std::vector<double> linearised_weights(AssignmentState& state, const Objective& objective);

/// Linearises around `state`, matches, commits, and repeats until nothing improves (after the
/// scheme of FairEA, arXiv 2105.06929, as Limber understands it). Ties between open positions make
/// the objective quadratic, so a whole matching may overshoot. It is therefore committed in full
/// only when the exact reward agrees; else the alternating cycles and paths in which it differs
/// from `state` are tried one at a time, the most promising first, and those that help are kept.
/// An empty state is filled by the first matching in any case. The front gets every assignment on
/// the way. Returns the number of matchings.
int linearised_search(AssignmentState& state, Matching& matching, const Objective& objective,
                      const Deadline& deadline, Front& front);

/// Gives every position its fittest candidate among those with the profiles that `state` has
/// there: diversity stays, fitness does not fall.
void refit(AssignmentState& state, Matching& matching);

}  // namespace limber::assign
