#pragma once

#include <string>
#include <string_view>

#include "limber/serving/store/redis_address.h"

namespace limber {

/// Where a stream of events is, and for which consumer group it is read.
struct StreamAddress {
  enum class Kind { kRedis, kKafka };

  Kind kind = Kind::kRedis;
  RedisAddress redis;   ///< kRedis
  std::string brokers;  ///< kKafka: "host:port,host:port"
  std::string name;     ///< the stream's key, or the topic
  std::string group;
  std::string settings;  ///< kKafka: a file of librdkafka's settings; empty: none

  /// Of "redis://[[user]:password@]host[:port][/db]?stream=NAME&group=NAME" or
  /// "kafka://broker[:port][,broker[:port]]/TOPIC?group=NAME[&settings=FILE]"; names may be
  /// percent-encoded. Throws InputError that names the remedy, and never repeats the password.
  static StreamAddress parse(std::string_view url);

  /// "redis://host:port/db stream NAME" or "kafka://brokers topic NAME", for messages.
  std::string without_password() const;
};

}  // namespace limber
