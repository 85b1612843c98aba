#pragma once

#include <memory>
#include <string>

#include "limber/serving/stream/event_source.h"

namespace limber {

/// Messages of a Kafka topic, whose partitions the group's consumers share out among themselves. A
/// group that is new reads from the topic's beginning. Dead letters go to TOPIC.dead.
std::unique_ptr<EventSource> open_kafka_source(const StreamAddress& address,
                                               const std::string& consumer);

}  // namespace limber
