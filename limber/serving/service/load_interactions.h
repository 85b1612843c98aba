#pragma once

#include <vector>

#include "limber/serving/store/member_store.h"

namespace limber {

struct LoadedInteractions {
  std::int64_t stored = 0;
  std::int64_t known = 0;  ///< were there already, or are older than what is there
};

/// Puts a log's interactions into a store, many at a time; those of one member in the order given.
LoadedInteractions load_interactions(MemberStore& store,
                                     std::vector<MemberInteraction>& interactions);

/// The same in the order of their times, less those that are older than the newest that the store
/// has of their member: a log that is loaded again must not bring back what was pushed out.
LoadedInteractions load_in_order(MemberStore& store, std::vector<MemberInteraction> interactions);

}  // namespace limber
