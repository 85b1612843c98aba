#include "limber/serving/stream/kafka_source.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/serving/stream/kafka_client.h"

namespace limber {

namespace {

using std::chrono::milliseconds;

/// Of each question to a broker.
constexpr milliseconds kTimeout{2000};

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Whether a commit failed because the partitions are no longer ours: who has them now gets the
/// events, too.
bool is_lost(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
         error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ||
         error == RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST || error == RD_KAFKA_RESP_ERR__NO_OFFSET;
}

/// Partition and offset of "topic-PARTITION-OFFSET".
std::pair<std::int32_t, std::int64_t> place_of(std::string_view position) {
  std::pair<std::int32_t, std::int64_t> place;
  const std::size_t offset = position.rfind('-') + 1;
  const std::size_t partition = position.rfind('-', offset - 2) + 1;
  const char* text = position.data();
  std::from_chars(text + partition, text + offset - 1, place.first);
  std::from_chars(text + offset, text + position.size(), place.second);
  return place;
}

class KafkaSource final : public EventSource {
 public:
  KafkaSource(StreamAddress address, const std::string& consumer) : address_(std::move(address)) {
    KafkaSettings settings = kafka_settings(
        {{"bootstrap.servers", address_.brokers},
         {"group.id", address_.group},
         {"client.id", consumer},
         {"enable.auto.commit", "false"},
         {"enable.auto.offset.store", "false"},
         {"auto.offset.reset", "earliest"},
         // A server that was killed is missed soon; brokers allow no less unless told otherwise.
         {"session.timeout.ms", "6000"},
         {"heartbeat.interval.ms", "1000"},
         {"socket.timeout.ms", "10000"},
         {"reconnect.backoff.max.ms", "2000"}},
        address_.settings);
    rd_kafka_conf_set_opaque(settings.get(), this);
    rd_kafka_conf_set_error_cb(settings.get(),
                               [](rd_kafka_t*, int error, const char* reason, void* source) {
                                 static_cast<KafkaSource*>(source)->on_error(error, reason);
                               });
    rd_kafka_conf_set_rebalance_cb(
        settings.get(),
        [](rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
           void* source) { static_cast<KafkaSource*>(source)->on_rebalance(what, partitions); });
    consumer_ = open_kafka(RD_KAFKA_CONSUMER, std::move(settings));
    rd_kafka_poll_set_consumer(consumer_.get());
    const KafkaPartitions topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), address_.name.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto failed = rd_kafka_subscribe(consumer_.get(), topics.get())) {
      throw InputError("--stream: {}: {}", name(), rd_kafka_err2str(failed));
    }
  }

  ~KafkaSource() override { rd_kafka_consumer_close(consumer_.get()); }

  std::vector<StreamEvent> poll(std::size_t most, milliseconds timeout) override {
    events_.clear();
    std::optional<std::string> failure;
    while (events_.size() < most && !failure) {
      // Only the first is waited for.
      const int wait = events_.empty() ? static_cast<int>(timeout.count()) : 0;
      const KafkaMessage message(rd_kafka_consumer_poll(consumer_.get(), wait));
      if (!message) break;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        down_ = false;
        events_.push_back(event_of(*message));
      } else if (message->err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
        spdlog::warn(
            "{}: the group went on without this server, whose store was gone; joining it "
            "again",
            name());
      } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        failure = describe(*message);
      }
    }
    // What came before a failure is no less good; the failure will come again.
    if (!events_.empty()) return std::exchange(events_, {});
    if (failure) throw Error("{}", *failure);
    if (down_) look_for_brokers();
    return {};
  }

  void acknowledge(std::span<const StreamEvent> events) override {
    std::map<std::int32_t, std::int64_t> next;
    for (const StreamEvent& event : events) {
      const auto [partition, offset] = place_of(event.position);
      next[partition] = std::max(next[partition], offset + 1);
    }
    if (next.empty()) return;
    const KafkaPartitions offsets(rd_kafka_topic_partition_list_new(static_cast<int>(next.size())));
    for (const auto& [partition, offset] : next) {
      rd_kafka_topic_partition_list_add(offsets.get(), address_.name.c_str(), partition)->offset =
          offset;
    }
    const rd_kafka_resp_err_t failed = commit(*offsets);
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) {
      for (const auto& [partition, offset] : next) committed_[partition] = offset;
    } else if (is_lost(failed)) {
      spdlog::info(
          "{}: partitions went to another server before {} events were acknowledged; it "
          "gets them, too",
          name(), events.size());
    } else {
      throw Error("offsets cannot be committed: {}", rd_kafka_err2str(failed));
    }
  }

  void put_aside(const StreamEvent& event, std::string_view reason) override {
    if (!sender_) sender_.emplace(address_.brokers, address_.settings);
    sender_->send(address_.name + ".dead", event.payload,
                  {{"id", event.position}, {"reason", reason}});
  }

  std::int64_t lag() override {
    if (down_) throw Error("{}", down_reason_);
    rd_kafka_topic_partition_list_t* assigned = nullptr;
    check(rd_kafka_assignment(consumer_.get(), &assigned));
    const KafkaPartitions partitions(assigned);
    if (partitions->cnt == 0) return 0;
    read_committed(*partitions);
    const auto bound = [&](std::int64_t which) {
      for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = which;
      check(rd_kafka_offsets_for_times(consumer_.get(), partitions.get(),
                                       static_cast<int>(kTimeout.count())));
    };
    // Where nothing was committed yet, all that is there waits.
    std::map<std::int32_t, std::int64_t> from = committed_;
    if (std::ranges::any_of(from, [](const auto& one) { return one.second < 0; })) {
      bound(RD_KAFKA_OFFSET_BEGINNING);
      for (int i = 0; i < partitions->cnt; ++i) {
        std::int64_t& offset = from[partitions->elems[i].partition];
        if (offset < 0) offset = partitions->elems[i].offset;
      }
    }
    bound(RD_KAFKA_OFFSET_END);
    std::int64_t waiting = 0;
    for (int i = 0; i < partitions->cnt; ++i) {
      const auto& end = partitions->elems[i];
      check(end.err);
      waiting += std::max<std::int64_t>(0, end.offset - from[end.partition]);
    }
    return waiting;
  }

  std::string name() const override { return address_.without_password(); }

 private:
  static void check(rd_kafka_resp_err_t error) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw Error("Kafka cannot be asked: {}", rd_kafka_err2str(error));
    }
  }

  void on_error(int error, const char* reason) {
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
    down_ = true;
    down_reason_ = one_line(reason);
  }

  /// Called within poll(). Partitions that come are read from where the group has committed, so
  /// what this poll has gathered would come once more, here or elsewhere.
  void on_rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) {
    events_.clear();
    committed_.clear();
    const bool comes = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rd_kafka_assign(consumer_.get(), comes ? partitions : nullptr);
    spdlog::info("{}: {} partitions {}", name(), partitions->cnt, comes ? "came" : "went");
  }

  /// librdkafka says when all brokers are gone, and not when one is back.
  void look_for_brokers() {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto failed = rd_kafka_metadata(consumer_.get(), 0, nullptr, &metadata,
                                          static_cast<int>(kTimeout.count()));
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) throw Error("{}", down_reason_);
    rd_kafka_metadata_destroy(metadata);
    down_ = false;
  }

  std::string describe(const rd_kafka_message_t& message) const {
    const bool missing = message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                         message.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (missing) return fmt::format("there is no topic {}; create it", address_.name);
    return one_line(rd_kafka_message_errstr(&message));
  }

  StreamEvent event_of(const rd_kafka_message_t& message) const {
    StreamEvent event;
    event.position = fmt::format("{}-{}-{}", address_.name, message.partition, message.offset);
    event.event_id = event.position;
    if (message.payload == nullptr) {
      event.problem = "the message has no value";
    } else {
      event.payload.assign(static_cast<const char*>(message.payload), message.len);
    }
    rd_kafka_timestamp_type_t type{};
    event.time_ms = rd_kafka_message_timestamp(&message, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) event.time_ms = now_ms();
    return event;
  }

  rd_kafka_resp_err_t commit(const rd_kafka_topic_partition_list_t& offsets) {
    const KafkaQueue queue(rd_kafka_queue_new(consumer_.get()));
    if (const auto failed =
            rd_kafka_commit_queue(consumer_.get(), &offsets, queue.get(), nullptr, nullptr)) {
      return failed;
    }
    const KafkaEvent done(rd_kafka_queue_poll(queue.get(), static_cast<int>(kTimeout.count())));
    if (!done) return RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (const auto failed = rd_kafka_event_error(done.get())) return failed;
    const auto* partitions = rd_kafka_event_topic_partition_list(done.get());
    for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
      if (partitions->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return partitions->elems[i].err;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  /// Asks once, after partitions have come.
  void read_committed(const rd_kafka_topic_partition_list_t& partitions) {
    const KafkaPartitions unknown(rd_kafka_topic_partition_list_new(partitions.cnt));
    for (int i = 0; i < partitions.cnt; ++i) {
      const std::int32_t partition = partitions.elems[i].partition;
      if (committed_.contains(partition)) continue;
      rd_kafka_topic_partition_list_add(unknown.get(), address_.name.c_str(), partition);
    }
    if (unknown->cnt == 0) return;
    check(rd_kafka_committed(consumer_.get(), unknown.get(), static_cast<int>(kTimeout.count())));
    for (int i = 0; i < unknown->cnt; ++i) {
      committed_[unknown->elems[i].partition] = unknown->elems[i].offset;
    }
  }

  StreamAddress address_;
  std::vector<StreamEvent> events_;                 ///< of the poll that runs
  std::map<std::int32_t, std::int64_t> committed_;  ///< by partition; negative: nothing yet
  bool down_ = false;
  std::string down_reason_;
  std::optional<KafkaSender> sender_;
  KafkaClient consumer_;
};

}  // namespace

std::unique_ptr<EventSource> open_kafka_source(const StreamAddress& address,
                                               const std::string& consumer) {
  return std::make_unique<KafkaSource>(address, consumer);
}

}  // namespace limber
