#pragma once

// clang-format off: this order
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
// clang-format on

#include <string>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/serving/stream/kafka_client.h"

namespace limber {

/// librdkafka's own small cluster, in this process, with the topics "clicks" and "clicks.dead".
class KafkaClusterForTest {
 public:
  explicit KafkaClusterForTest(int partitions = 2) {
    client_ = open_kafka(RD_KAFKA_PRODUCER, kafka_settings({}));
    cluster_ = rd_kafka_mock_cluster_new(client_.get(), 1);
    make_topic("clicks", partitions);
    make_topic("clicks.dead", 1);
    KafkaSettings settings = kafka_settings({{"bootstrap.servers", brokers()}, {"linger.ms", "0"}});
    rd_kafka_conf_set_dr_msg_cb(
        settings.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
          *static_cast<std::string*>(message->_private) =
              message->err ? rd_kafka_err2str(message->err)
                           : fmt::format("clicks-{}-{}", message->partition, message->offset);
        });
    sender_ = open_kafka(RD_KAFKA_PRODUCER, std::move(settings));
  }
  ~KafkaClusterForTest() {
    sender_.reset();
    rd_kafka_mock_cluster_destroy(cluster_);
  }
  KafkaClusterForTest(const KafkaClusterForTest&) = delete;
  KafkaClusterForTest& operator=(const KafkaClusterForTest&) = delete;

  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void make_topic(const char* name, int partitions) {
    if (rd_kafka_mock_topic_create(cluster_, name, partitions, 1)) throw Error("no topic");
  }
  /// Returns where it stands: "clicks-PARTITION-OFFSET". Those of one key are in one partition; one
  /// without may be in any.
  std::string put(const std::string& payload, const std::string& key = "") {
    std::string place;
    if (const auto failed = rd_kafka_producev(
            sender_.get(), RD_KAFKA_V_TOPIC("clicks"), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
            RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
            RD_KAFKA_V_OPAQUE(&place), RD_KAFKA_V_END)) {
      throw Error("put: {}", rd_kafka_err2str(failed));
    }
    while (place.empty()) rd_kafka_poll(sender_.get(), 100);
    return place;
  }

  void set_down(bool down) {
    if (down) {
      rd_kafka_mock_broker_set_down(cluster_, 1);
    } else {
      rd_kafka_mock_broker_set_up(cluster_, 1);
    }
  }
  /// The next request of a kind, by its number in Kafka's protocol, fails so.
  static constexpr std::int16_t kProduce = 0, kCommit = 8;
  void fail_next(std::int16_t kind, rd_kafka_resp_err_t error) {
    rd_kafka_mock_push_request_errors(cluster_, kind, 1, error);
  }

  /// The first message of the dead letters: its payload, then names and values of its headers.
  std::vector<std::string> dead_letter(std::size_t place = 0) {
    const KafkaClient reader =
        open_kafka(RD_KAFKA_CONSUMER, kafka_settings({{"bootstrap.servers", brokers()},
                                                      {"group.id", "test"},
                                                      {"auto.offset.reset", "earliest"}}));
    const KafkaPartitions partitions(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(partitions.get(), "clicks.dead", 0)->offset =
        static_cast<std::int64_t>(place);
    rd_kafka_assign(reader.get(), partitions.get());
    std::vector<std::string> words;
    for (int i = 0; i < 100 && words.empty(); ++i) {
      const KafkaMessage message(rd_kafka_consumer_poll(reader.get(), 100));
      if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      words.emplace_back(static_cast<const char*>(message->payload), message->len);
      rd_kafka_headers_t* headers = nullptr;
      rd_kafka_message_headers(message.get(), &headers);
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t h = 0;
           headers != nullptr &&
           rd_kafka_header_get_all(headers, h, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
           ++h) {
        words.emplace_back(name);
        words.emplace_back(static_cast<const char*>(value), size);
      }
    }
    rd_kafka_consumer_close(reader.get());
    return words;
  }

 private:
  KafkaClient client_;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  KafkaClient sender_;
};

}  // namespace limber
