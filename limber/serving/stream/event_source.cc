#include "limber/serving/stream/event_source.h"

#include "limber/serving/stream/kafka_source.h"
#include "limber/serving/stream/redis_source.h"

namespace limber {

std::unique_ptr<EventSource> open_event_source(const StreamAddress& address,
                                               const std::string& consumer) {
  if (address.kind == StreamAddress::Kind::kKafka) return open_kafka_source(address, consumer);
  return open_redis_source(address, consumer);
}

}  // namespace limber
