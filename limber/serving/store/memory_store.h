#pragma once

#include <memory>

#include "limber/serving/store/member_store.h"

namespace limber {

/// A store that ends with the process: for tests, and for trying things out.
std::unique_ptr<MemberStore> open_memory_store(StoreOptions options);

}  // namespace limber
