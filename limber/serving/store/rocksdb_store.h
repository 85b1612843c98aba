#pragma once

#include <filesystem>
#include <memory>

#include "limber/serving/store/member_store.h"

namespace limber {

/// A store in a folder of this machine, for one server. Every write is on the disk when it returns;
/// concurrent writes share one flush. See open_member_store for what it throws.
std::unique_ptr<MemberStore> open_rocksdb_store(const std::filesystem::path& folder,
                                                StoreOptions options);

}  // namespace limber
