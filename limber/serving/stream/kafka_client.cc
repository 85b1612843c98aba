#include "limber/serving/stream/kafka_client.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/one_line.h"

namespace limber {

namespace {

/// Enough of a message to see what it was, and less than any broker refuses.
constexpr std::size_t kSentOfTooLarge = std::size_t{256} << 10;

/// What became of a message: librdkafka's delivery report writes it.
struct Delivery {
  bool known = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void set(rd_kafka_conf_t& settings, const std::string& name, const std::string& value,
         std::string_view place) {
  std::array<char, 512> reason{};
  if (rd_kafka_conf_set(&settings, name.c_str(), value.c_str(), reason.data(), reason.size()) !=
      RD_KAFKA_CONF_OK) {
    throw InputError("{}: {}", place, one_line(reason.data()));
  }
}

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

KafkaSettings kafka_settings(KafkaValues settings, const std::string& file, KafkaValues defaults) {
  KafkaSettings made(rd_kafka_conf_new());
  for (const auto& [name, value] : defaults) set(*made, name, value, "--stream: Kafka");
  for (const auto& [name, value] : settings) set(*made, name, value, "--stream: Kafka");
  if (!file.empty()) {
    std::istringstream lines(read_file(file));
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      const std::string place = fmt::format("{}:{}", file, number);
      line = trimmed(line);
      if (line.empty() || line.front() == '#') continue;
      const std::size_t equals = line.find('=');
      if (equals == std::string::npos) throw InputError("{}: expected NAME=VALUE", place);
      const std::string name = trimmed(line.substr(0, equals));
      const auto ours = [&](const auto& one) { return name == one.first; };
      if (std::ranges::any_of(settings, ours)) {
        throw InputError("{}: {} is set by limber serve itself; remove the line", place, name);
      }
      // Servers of one name would put each other out of the group, and lose their partitions.
      if (name == "group.instance.id") {
        throw InputError("{}: {} cannot be used by several servers; remove the line", place, name);
      }
      set(*made, name, trimmed(line.substr(equals + 1)), place);
    }
  }
  rd_kafka_conf_set_log_cb(made.get(),
                           [](const rd_kafka_t*, int, const char* facility, const char* text) {
                             spdlog::debug("kafka: {}: {}", facility, one_line(text));
                           });
  return made;
}

KafkaClient open_kafka(rd_kafka_type_t type, KafkaSettings settings) {
  std::array<char, 512> reason{};
  KafkaClient client(rd_kafka_new(type, settings.get(), reason.data(), reason.size()));
  if (!client) throw InputError("--stream: Kafka: {}", one_line(reason.data()));
  // It belongs to the client now.
  static_cast<void>(settings.release());
  return client;
}

KafkaSender::KafkaSender(const std::string& brokers, const std::string& settings_file) {
  KafkaSettings settings = kafka_settings(
      {{"bootstrap.servers", brokers}, {"message.timeout.ms", "5000"}}, settings_file,
      {{"acks", "all"},
       {"linger.ms", "0"},
       // How large is too large, the broker says.
       {"message.max.bytes", "100000000"}});
  rd_kafka_conf_set_dr_msg_cb(settings.get(),
                              [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
                                *static_cast<Delivery*>(message->_private) = {true, message->err};
                              });
  client_ = open_kafka(RD_KAFKA_PRODUCER, std::move(settings));
}

void KafkaSender::send(const std::string& topic, std::string_view payload,
                       std::initializer_list<std::pair<const char*, std::string_view>> headers) {
  rd_kafka_resp_err_t failed = try_send(topic, payload, headers, "");
  if (failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    failed = try_send(topic, payload.substr(0, kSentOfTooLarge), headers,
                      std::to_string(payload.size()));
  }
  if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const bool missing = failed == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                       failed == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  throw Error("the topic {} does not take a message: {}{}", topic, rd_kafka_err2str(failed),
              missing ? "; create it" : "");
}

rd_kafka_resp_err_t KafkaSender::try_send(
    const std::string& topic, std::string_view payload,
    std::initializer_list<std::pair<const char*, std::string_view>> headers,
    std::string_view bytes) {
  rd_kafka_headers_t* sent = rd_kafka_headers_new(headers.size() + 1);
  for (const auto& [name, value] : headers) {
    rd_kafka_header_add(sent, name, -1, value.data(), static_cast<ssize_t>(value.size()));
  }
  if (!bytes.empty()) {
    rd_kafka_header_add(sent, "bytes", -1, bytes.data(), static_cast<ssize_t>(bytes.size()));
  }
  Delivery delivery;
  const rd_kafka_resp_err_t refused = rd_kafka_producev(
      client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()), RD_KAFKA_V_HEADERS(sent),
      RD_KAFKA_V_OPAQUE(&delivery), RD_KAFKA_V_END);
  if (refused != RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_headers_destroy(sent);
    return refused;
  }
  // A report comes for every message, at the latest when its time is over.
  while (!delivery.known) rd_kafka_poll(client_.get(), 100);
  return delivery.error;
}

}  // namespace limber
