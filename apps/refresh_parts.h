#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limber/core/data/member_shard.h"

namespace limber {

/// Under what name a part of a refresh says which log it was adapted to.
inline constexpr const char* kLogKey = "limber.log";

/// What the log and the side tables are known by: names and sizes of their files, which copies of
/// them on other machines share, and how they are read.
std::string log_fingerprint(const std::vector<std::filesystem::path>& files,
                            const std::vector<std::string>& settings);

/// What the parts' names begin with; the number of the part follows.
std::string part_prefix(const std::string& version, const MemberShard& shard);

/// Throws InputError where `folder` holds parts of another refresh, beside which members would be
/// there twice: of another version, another number of shards or another log.
void check_same_refresh(const std::filesystem::path& folder, const std::string& version,
                        const MemberShard& shard, const std::string& fingerprint);

}  // namespace limber
