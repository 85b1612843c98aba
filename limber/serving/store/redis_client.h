#pragma once

#include <hiredis/hiredis.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/serving/store/redis_address.h"

namespace limber {

/// A Lua script that Redis runs as one step.
struct RedisScript {
  std::string source;
  std::string sha;  ///< the name Redis gives it, SHA-1 in hexadecimal digits
  explicit RedisScript(std::string_view lua);
};

/// One command: its words. With a script, the words after EVALSHA and the script's name.
struct RedisCommand {
  std::vector<std::string> words;
  const RedisScript* script = nullptr;
};

struct FreeRedisReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, FreeRedisReply>;

/// Sends commands to a Redis over a few connections. May be used from any thread.
///
/// After a failure to connect, calls fail at once until the time for the next try has come; that
/// time doubles from 50 ms to 2 s while tries fail. So a Redis that is gone costs its callers one
/// timeout now and then and not one each.
class RedisClient {
 public:
  /// `timeout` bounds connecting, each wait for Redis, and the wait for a free connection.
  RedisClient(RedisAddress address, std::chrono::milliseconds timeout, int most_connections);

  /// Sends all commands at once and returns their replies. Throws Error that names the address when
  /// Redis cannot be reached, does not answer in time, or refuses a command; InputError when it
  /// refuses the password. With `repeatable`, commands whose connection breaks are sent once more.
  std::vector<RedisReply> run(std::span<const RedisCommand> commands, bool repeatable);

  const RedisAddress& address() const { return address_; }

 private:
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  using Connection = std::unique_ptr<redisContext, FreeContext>;
  /// Gives its place in the pool back, and the connection too unless it broke.
  class Lease;

  Connection connect();
  Connection open_connection() const;
  void log_in(redisContext& connection) const;
  std::vector<RedisReply> exchange(redisContext& connection, std::span<const RedisCommand> commands,
                                   bool whole_scripts);
  [[noreturn]] void fail(std::string_view what, std::string_view reason) const;

  RedisAddress address_;
  std::chrono::milliseconds timeout_;
  int most_connections_;

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection> idle_;
  int in_use_ = 0;
  std::chrono::milliseconds backoff_{0};
  std::chrono::steady_clock::time_point next_try_{};
  bool connecting_ = false;
  std::string last_failure_;
};

}  // namespace limber
