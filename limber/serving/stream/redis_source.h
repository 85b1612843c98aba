#pragma once

#include <memory>
#include <string>

#include "limber/serving/stream/event_source.h"

namespace limber {

/// Entries of a Redis stream. An entry's payload is its field "event", or its only field. The group
/// and the stream are made where they are missing, and the group reads from the stream's beginning.
/// What a consumer left pending it reads first when it comes back; what another one left for two
/// seconds is taken over. Redis 6.2 or newer.
std::unique_ptr<EventSource> open_redis_source(const StreamAddress& address,
                                               const std::string& consumer);

}  // namespace limber
