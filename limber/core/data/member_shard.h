#pragma once

#include <cstdint>
#include <string>

#include "limber/core/data/column.h"

namespace limber {

/// One of `count` shares of all members, drawn by a hash of the member's key: each member is in
/// exactly one of them, the same one on every machine and whatever else the log holds.
struct MemberShard {
  std::int64_t index = 1, count = 1;

  bool all() const { return count == 1; }
  bool has(const Key& member) const;
};

/// Reads "I/N", share I of N. Throws InputError that names `option`.
MemberShard parse_member_shard(const std::string& text, const std::string& option);

}  // namespace limber
