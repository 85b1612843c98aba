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
using Clock = std::chrono::steady_clock;

/// Of each question to a broker.
constexpr milliseconds kTimeout{2000};
/// A group that has not dealt out its partitions for so long does not work.
constexpr std::chrono::seconds kLongestJoin{30};

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
    KafkaSettings settings =
        kafka_settings({{"bootstrap.servers", address_.brokers},
                        {"group.id", address_.group},
                        {"client.id", consumer},
                        {"enable.auto.commit", "false"},
                        {"enable.auto.offset.store", "false"},
                        {"auto.offset.reset", "earliest"},
                        // What is dealt out anew is dealt out as a whole: see on_rebalance().
                        {"partition.assignment.strategy", "range,roundrobin"},
                        {"socket.timeout.ms", "10000"},
                        {"reconnect.backoff.max.ms", "2000"}},
                       address_.settings,
                       // A server that was killed is missed soon; brokers allow no less unless told
                       // otherwise. One that hangs is missed in time, too.
                       {{"session.timeout.ms", "6000"},
                        {"heartbeat.interval.ms", "1000"},
                        {"max.poll.interval.ms", "60000"}});
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
    // Now, and not when the first bad event comes: the settings may not do for it.
    sender_.emplace(address_.brokers, address_.settings);
    rd_kafka_poll_set_consumer(consumer_.get());
    subscribe();
  }

  ~KafkaSource() override { rd_kafka_consumer_close(consumer_.get()); }

  std::vector<StreamEvent> poll(std::size_t most, milliseconds timeout) override {
    if (!subscribed_) subscribe();
    bool failed = false;
    while (events_.size() < most && !failed) {
      // Only the first is waited for.
      const int wait = events_.empty() ? static_cast<int>(timeout.count()) : 0;
      const KafkaMessage message(rd_kafka_consumer_poll(consumer_.get(), wait));
      if (!message) break;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        trouble_.clear();
        why_.clear();
        events_.push_back(event_of(*message));
      } else if (message->err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
        spdlog::warn(
            "{}: the group went on without this server, whose store was gone; joining it "
            "again",
            name());
      } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        // librdkafka says it once.
        trouble_ = describe(*message);
        failed = true;
      }
    }
    // What came before a failure is no less good.
    if (!events_.empty()) return std::exchange(events_, {});
    if (failed) throw Error("{}", trouble_);
    look_around();
    return {};
  }

  /// A group waits for whom it has lent partitions, and nobody else gets their events. So one that
  /// cannot store them leaves.
  bool give_up() override {
    if (rd_kafka_unsubscribe(consumer_.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    subscribed_ = false;
    const auto end = Clock::now() + kTimeout;
    while (joined_ && Clock::now() < end) {
      const KafkaMessage passed_over(rd_kafka_consumer_poll(consumer_.get(), 50));
    }
    events_.clear();
    return true;
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

  bool put_aside(const StreamEvent& event, std::string_view reason) override {
    sender_->send(address_.name + ".dead", event.payload,
                  {{"id", event.position}, {"event_id", event.event_id}, {"reason", reason}});
    return true;
  }

  std::int64_t lag() override {
    // Who has its partitions now tells of them.
    if (!subscribed_) return 0;
    if (!trouble_.empty()) throw Error("{}", trouble_);
    if (!joined_) throw Error("the group has not dealt out its partitions yet");
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

  /// Called within poll() and give_up(). Why a broker cannot be spoken to is said before all of
  /// them are found to be gone.
  void on_error(int error, const char* reason) {
    switch (error) {
      case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      case RD_KAFKA_RESP_ERR__SSL:
      case RD_KAFKA_RESP_ERR__RESOLVE:
        why_ = one_line(reason);
        break;
      case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      case RD_KAFKA_RESP_ERR__FATAL:
        trouble_ = one_line(reason);
        if (!why_.empty()) trouble_ += " (" + why_ + ")";
        break;
      default:
        break;
    }
  }

  /// Called within poll() and give_up(). Partitions that come are read from where the group has
  /// committed, so what was gathered and not stored would come once more, here or elsewhere.
  void on_rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) {
    events_.clear();
    committed_.clear();
    const bool comes = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    const auto failed = rd_kafka_assign(consumer_.get(), comes ? partitions : nullptr);
    joined_ = comes && failed == RD_KAFKA_RESP_ERR_NO_ERROR;
    left_ = Clock::now();
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) trouble_ = rd_kafka_err2str(failed);
    spdlog::info("{}: {} partitions {}", name(), partitions->cnt, comes ? "came" : "went");
  }

  void subscribe() {
    const KafkaPartitions topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), address_.name.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto failed = rd_kafka_subscribe(consumer_.get(), topics.get())) {
      throw InputError("--stream: {}: {}", name(), rd_kafka_err2str(failed));
    }
    subscribed_ = true;
    left_ = Clock::now();
  }

  /// When nothing has come: whether that is because something is wrong.
  void look_around() {
    if (!joined_ && Clock::now() - left_ > kLongestJoin) {
      throw Error("the group has not dealt out its partitions for {} s{}{}", kLongestJoin.count(),
                  trouble_.empty() ? "" : ": ", trouble_);
    }
    if (!trouble_.empty()) {
      // librdkafka says when something has gone, and not when it is back.
      const std::string still = trouble_of_topic(address_.name);
      if (!still.empty()) {
        trouble_ = still;
        throw Error("{}", trouble_);
      }
      trouble_.clear();
    }
    if (joined_ && !std::exchange(looked_for_letters_, true)) {
      const std::string letters = address_.name + ".dead";
      if (const std::string missing = trouble_of_topic(letters); !missing.empty()) {
        spdlog::warn("{}: {}; until then an event that nobody can use stops the topic", name(),
                     missing);
      }
    }
  }

  /// "" for a topic that can be read.
  std::string trouble_of_topic(const std::string& topic) {
    const KafkaTopic handle(rd_kafka_topic_new(consumer_.get(), topic.c_str(), nullptr));
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto failed = rd_kafka_metadata(consumer_.get(), 0, handle.get(), &metadata,
                                          static_cast<int>(kTimeout.count()));
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return trouble_.empty() ? rd_kafka_err2str(failed) : trouble_;
    }
    const auto error = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                                : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(metadata);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : describe(error, topic);
  }

  static std::string describe(rd_kafka_resp_err_t error, const std::string& topic) {
    const bool missing = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                         error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (missing) return fmt::format("there is no topic {}; create it", topic);
    return fmt::format("topic {}: {}", topic, rd_kafka_err2str(error));
  }

  std::string describe(const rd_kafka_message_t& message) const {
    const std::string text = describe(message.err, address_.name);
    return text.starts_with("there is no") ? text : one_line(rd_kafka_message_errstr(&message));
  }

  StreamEvent event_of(const rd_kafka_message_t& message) const {
    StreamEvent event;
    event.position = fmt::format("{}-{}-{}", address_.name, message.partition, message.offset);
    if (message.payload == nullptr) {
      event.problem = "the message has no value";
    } else {
      event.payload.assign(static_cast<const char*>(message.payload), message.len);
    }
    rd_kafka_timestamp_type_t type{};
    event.time_ms = rd_kafka_message_timestamp(&message, &type);
    // A topic that was made anew numbers its messages anew: the time tells them apart.
    event.event_id = fmt::format("{}@{}", event.position, event.time_ms);
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
  std::vector<StreamEvent> events_;                 ///< gathered, and not yet returned
  std::map<std::int32_t, std::int64_t> committed_;  ///< by partition; negative: nothing yet
  std::string trouble_;                             ///< what went wrong last; empty: nothing
  std::string why_;  ///< what a broker had against us, or we against it
  bool subscribed_ = false, joined_ = false, looked_for_letters_ = false;
  Clock::time_point left_ = Clock::now();  ///< when it last was without partitions
  std::optional<KafkaSender> sender_;
  KafkaClient consumer_;
};

}  // namespace

std::unique_ptr<EventSource> open_kafka_source(const StreamAddress& address,
                                               const std::string& consumer) {
  return std::make_unique<KafkaSource>(address, consumer);
}

}  // namespace limber
