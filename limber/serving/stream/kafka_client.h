#pragma once

#include <librdkafka/rdkafka.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace limber {

struct FreeKafka {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_conf_t* settings) const { rd_kafka_conf_destroy(settings); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using KafkaClient = std::unique_ptr<rd_kafka_t, FreeKafka>;
using KafkaSettings = std::unique_ptr<rd_kafka_conf_t, FreeKafka>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, FreeKafka>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, FreeKafka>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, FreeKafka>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, FreeKafka>;
using KafkaPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t, FreeKafka>;

using KafkaValues = std::initializer_list<std::pair<const char*, std::string>>;

/// librdkafka's settings of those names, and those of a file: lines of NAME=VALUE, empty ones, and
/// ones that begin with #. The file may say otherwise than `defaults`. Throws InputError that names
/// the file's line for one that librdkafka does not know, or that is not a user's to say. What
/// librdkafka says goes to our log, at level debug: failures are told by whoever calls it.
KafkaSettings kafka_settings(KafkaValues settings, const std::string& file = "",
                             KafkaValues defaults = {});

/// Throws InputError for settings that librdkafka does not take together.
KafkaClient open_kafka(rd_kafka_type_t type, KafkaSettings settings);

/// Sends messages that must arrive.
class KafkaSender {
 public:
  explicit KafkaSender(const std::string& brokers, const std::string& settings_file = "");

  /// Returns when all replicas in sync have the message; throws Error that names the topic when
  /// they do not within some seconds. Of a payload that the broker finds too large only the
  /// beginning is sent, with a header "bytes" that says how long it was.
  void send(const std::string& topic, std::string_view payload,
            std::initializer_list<std::pair<const char*, std::string_view>> headers);

 private:
  rd_kafka_resp_err_t try_send(
      const std::string& topic, std::string_view payload,
      std::initializer_list<std::pair<const char*, std::string_view>> headers,
      std::string_view bytes);

  KafkaClient client_;
};

}  // namespace limber
