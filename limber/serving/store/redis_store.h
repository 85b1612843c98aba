#pragma once

#include <memory>
#include <string_view>

#include "limber/serving/store/member_store.h"

namespace limber {

/// A store in a Redis that several servers may share. How durable it is, Redis' own configuration
/// says; one that keeps nothing is warned of. See open_member_store for what it throws.
std::unique_ptr<MemberStore> open_redis_store(std::string_view url, StoreOptions options);

}  // namespace limber
