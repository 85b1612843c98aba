#pragma once

#include <algorithm>
#include <cstdint>

#include "limber/serving/store/member_store.h"

namespace limber {

/// Lifetimes in milliseconds, 0 for none. A member's head, which holds its newest sequence, lives
/// as long as anything that refers to sequences: were it to start from 1 again beside an old state,
/// that state would look up to date.
struct Lifetimes {
  std::int64_t interaction_ms = 0;
  std::int64_t state_ms = 0;
  std::int64_t head_ms = 0;

  explicit Lifetimes(const StoreOptions& options)
      : interaction_ms(options.interaction_ttl.count() * 1000),
        state_ms(options.state_ttl.count() * 1000),
        head_ms(interaction_ms == 0 || state_ms == 0 ? 0 : std::max(interaction_ms, state_ms)) {}
};

/// Whether something of `time_ms` is older than its lifetime.
constexpr bool is_expired(std::int64_t time_ms, std::int64_t lifetime_ms, std::int64_t now_ms) {
  return lifetime_ms > 0 && time_ms < now_ms - lifetime_ms;
}

}  // namespace limber
