#include "limber/serving/stream/event_source.h"

#include "limber/core/base/error.h"
#include "limber/serving/stream/redis_source.h"

namespace limber {

std::unique_ptr<EventSource> open_event_source(const StreamAddress& address,
                                               const std::string& consumer) {
  if (address.kind == StreamAddress::Kind::kKafka) {
    throw InputError("--stream: {}: this program knows Redis streams alone",
                     address.without_password());
  }
  return open_redis_source(address, consumer);
}

}  // namespace limber
