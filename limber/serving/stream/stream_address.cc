#include "limber/serving/stream/stream_address.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/serving/http/request.h"

namespace limber {

namespace {

constexpr std::string_view kRedis = "redis://", kKafka = "kafka://";
constexpr std::string_view kRedisForm =
    "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]?stream=NAME&group=NAME";
constexpr std::string_view kKafkaForm =
    "kafka://BROKER[:PORT][,BROKER[:PORT]]/TOPIC?group=NAME[&settings=FILE]";
/// Names of streams become part of event_ids, which a store bounds.
constexpr std::size_t kLongestStreamName = 512;
constexpr std::size_t kLongestTopic = 249;  // Kafka's own bound.

[[noreturn]] void fail(std::string_view form, std::string_view what) {
  throw InputError("--stream: {}: {}", form, what);
}

/// What the parameters behind the question mark say, by name.
std::map<std::string, std::string, std::less<>> parse_query(
    std::string_view form, std::string_view query, const std::vector<std::string_view>& required,
    const std::vector<std::string_view>& optional) {
  std::vector<std::string_view> known = required;
  known.insert(known.end(), optional.begin(), optional.end());
  std::map<std::string, std::string, std::less<>> values;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    if (std::ranges::find(known, name) == known.end()) {
      fail(form, fmt::format("there is no parameter \"{}\"; known are: {}",
                             one_short_line(name, 100), fmt::join(known, ", ")));
    }
    const std::size_t value_at = std::min(pair.size(), name.size() + 1);
    const auto value = http::percent_decode(pair.substr(value_at));
    if (!value) {
      fail(form, fmt::format("a % in {} is not followed by two hexadecimal digits; write it as %25",
                             name));
    }
    if (value->find('\0') != std::string::npos) fail(form, fmt::format("{} holds %00", name));
    if (!values.emplace(name, *value).second) fail(form, fmt::format("{} is given twice", name));
  }
  for (const std::string_view name : required) {
    const auto found = values.find(name);
    if (found == values.end() || found->second.empty()) {
      fail(form, fmt::format("{} is missing; add {}{}=NAME", name,
                             values.empty() && name == required.front() ? "?" : "&", name));
    }
    if (found->second.size() > kLongestStreamName) {
      fail(form, fmt::format("{} has {} bytes; at most {} are possible", name, found->second.size(),
                             kLongestStreamName));
    }
  }
  return values;
}

StreamAddress parse_redis(std::string_view place, std::string_view query) {
  StreamAddress address;
  try {
    address.redis = RedisAddress::parse(place);
  } catch (const InputError& error) {
    // What it says begins with the form of a store's address; what is wrong stands at the end.
    const std::string_view what = error.what();
    fail(kRedisForm, what.substr(what.find("]: ") + 3));
  }
  auto values = parse_query(kRedisForm, query, {"stream", "group"}, {});
  address.name = values["stream"];
  address.group = values["group"];
  return address;
}

void check_broker(std::string_view broker) {
  const std::size_t colon = broker.rfind(':');
  const bool bare_ipv6 = broker.starts_with('[') && broker.ends_with(']');
  if (broker.empty() || colon == 0) {
    fail(kKafkaForm, "a BROKER is empty; separate several by one comma");
  }
  if (colon == std::string_view::npos || bare_ipv6) return;
  const std::string_view port = broker.substr(colon + 1);
  int value = 0;
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (failed != std::errc() || end != port.data() + port.size() || value < 1 || value > 65535) {
    fail(kKafkaForm,
         fmt::format("the PORT of {} is \"{}\"; expected 1 to 65535",
                     one_short_line(broker.substr(0, colon), 100), one_short_line(port, 100)));
  }
}

StreamAddress parse_kafka(std::string_view place, std::string_view query) {
  place.remove_prefix(kKafka.size());
  StreamAddress address;
  address.kind = StreamAddress::Kind::kKafka;
  const std::size_t slash = place.find('/');
  address.brokers = place.substr(0, slash);
  if (address.brokers.find('@') != std::string::npos) {
    fail(kKafkaForm, "a BROKER is HOST[:PORT]; user and password stand in settings=FILE");
  }
  for (std::string_view rest = address.brokers;;) {
    const std::size_t comma = rest.find(',');
    check_broker(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (slash != std::string_view::npos) address.name = place.substr(slash + 1);
  if (address.name.empty()) fail(kKafkaForm, "the TOPIC is missing; write it behind the brokers");
  const auto legal = [](unsigned char letter) {
    return std::isalnum(letter) != 0 || letter == '.' || letter == '_' || letter == '-';
  };
  if (address.name.size() > kLongestTopic || !std::ranges::all_of(address.name, legal)) {
    fail(kKafkaForm,
         fmt::format("the TOPIC is \"{}\"; Kafka takes up to {} letters, digits and ._-",
                     one_short_line(address.name, 100), kLongestTopic));
  }
  auto values = parse_query(kKafkaForm, query, {"group"}, {"settings"});
  address.group = values["group"];
  address.settings = values["settings"];
  return address;
}

}  // namespace

StreamAddress StreamAddress::parse(std::string_view url) {
  const std::size_t question = url.rfind('?');
  const std::string_view place = url.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? std::string_view() : url.substr(question + 1);
  if (url.starts_with(kRedis)) return parse_redis(place, query);
  if (url.starts_with(kKafka)) return parse_kafka(place, query);
  throw InputError("--stream: expected {} or {}", kRedisForm, kKafkaForm);
}

std::string StreamAddress::without_password() const {
  if (kind == Kind::kKafka) return fmt::format("kafka://{} topic {}", brokers, name);
  return fmt::format("{} stream {}", redis.without_password(), one_line(name));
}

}  // namespace limber
