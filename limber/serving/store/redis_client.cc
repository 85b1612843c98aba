#include "limber/serving/store/redis_client.h"

#include <openssl/sha.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "limber/core/base/error.h"

namespace limber {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kShortestBackoff{50}, kLongestBackoff{2000};

/// The connection broke: another one may do better. Not so where Redis just does not answer.
class BrokenConnection : public Error {
 public:
  using Error::Error;
};

timeval as_timeval(std::chrono::milliseconds time) {
  return {time.count() / 1000, time.count() % 1000 * 1000};
}

/// Whether Redis has closed an idle connection, or said something that nobody has asked for.
bool is_stale(const redisContext& connection) {
  pollfd waiting{connection.fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) != 0;
}

std::string_view text_of(const redisReply& reply) {
  return {reply.str, reply.len};
}

/// What a Redis says that is no longer, or not yet, the one to write to. Its name may lead to
/// another by now, and only who connects anew finds out.
bool is_of_another_role(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR) return false;
  const std::string_view text = text_of(reply);
  // Before Redis 7 a script's error has the reason in the midst of it.
  return text.find("READONLY") != std::string_view::npos || text.starts_with("LOADING") ||
         text.starts_with("MASTERDOWN") || text.starts_with("UNBLOCKED");
}

bool lacks_script(const redisReply& reply) {
  return reply.type == REDIS_REPLY_ERROR && text_of(reply).starts_with("NOSCRIPT");
}

}  // namespace

RedisScript::RedisScript(std::string_view lua) : source(lua) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(source.data()), source.size(), digest.data());
  for (const unsigned char byte : digest) sha += fmt::format("{:02x}", byte);
}

class RedisClient::Lease {
 public:
  explicit Lease(RedisClient& client) : client_(client) {
    std::unique_lock lock(client_.mutex_);
    const auto free = [&] { return client_.in_use_ < client_.most_connections_; };
    if (!client_.returned_.wait_for(lock, client_.timeout_, free)) {
      client_.fail("all connections are in use",
                   fmt::format("none became free in {} ms", client_.timeout_.count()));
    }
    ++client_.in_use_;
    while (!client_.idle_.empty() && !connection_) {
      connection_ = std::move(client_.idle_.back());
      client_.idle_.pop_back();
      if (is_stale(*connection_)) connection_.reset();
    }
  }
  ~Lease() {
    {
      const std::scoped_lock lock(client_.mutex_);
      --client_.in_use_;
      if (connection_ && !connection_->err) client_.idle_.push_back(std::move(connection_));
    }
    client_.returned_.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  redisContext& connection() {
    if (!connection_) connection_ = client_.connect();
    return *connection_;
  }
  void drop() { connection_.reset(); }

 private:
  RedisClient& client_;
  Connection connection_;
};

RedisClient::RedisClient(RedisAddress address, std::chrono::milliseconds timeout,
                         int most_connections)
    : address_(std::move(address)), timeout_(timeout), most_connections_(most_connections) {}

std::vector<RedisReply> RedisClient::run(std::span<const RedisCommand> commands, bool repeatable) {
  Lease lease(*this);
  std::vector<RedisReply> replies;
  try {
    replies = exchange(lease.connection(), commands, false);
  } catch (const BrokenConnection&) {
    lease.drop();
    if (!repeatable) throw;
    replies = exchange(lease.connection(), commands, false);
  }
  // A restarted Redis has forgotten the scripts. Those commands did nothing: they are sent again
  // with the scripts' whole text, which Redis then remembers.
  std::vector<RedisCommand> again;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (!commands[i].script || !lacks_script(*replies[i])) continue;
    again.push_back(commands[i]);
    places.push_back(i);
  }
  if (!again.empty()) {
    std::vector<RedisReply> second = exchange(lease.connection(), again, true);
    for (std::size_t i = 0; i < places.size(); ++i) replies[places[i]] = std::move(second[i]);
  }
  for (const RedisReply& reply : replies) {
    if (is_of_another_role(*reply)) {
      lease.drop();
      const std::scoped_lock lock(mutex_);
      idle_.clear();
    }
    if (reply->type == REDIS_REPLY_ERROR) fail("refused a command", text_of(*reply));
  }
  return replies;
}

RedisClient::Connection RedisClient::connect() {
  {
    const std::scoped_lock lock(mutex_);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_try_ - Clock::now());
    if (left.count() > 0) {
      throw Error("{}; the next try is in {} ms", last_failure_, left.count());
    }
    // The others need not try at the same time: finding a host's address may take longer than any
    // timeout.
    if (backoff_.count() > 0 && connecting_) throw Error("{}; trying again", last_failure_);
    connecting_ = true;
  }
  std::exception_ptr failure;
  std::string reason;
  try {
    Connection connection = open_connection();
    log_in(*connection);
    const std::scoped_lock lock(mutex_);
    backoff_ = {};
    next_try_ = {};
    connecting_ = false;
    return connection;
  } catch (const Error& error) {
    failure = std::current_exception();
    reason = error.what();
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    connecting_ = false;
    throw;
  }
  {
    const std::scoped_lock lock(mutex_);
    connecting_ = false;
    backoff_ = std::clamp(2 * backoff_, kShortestBackoff, kLongestBackoff);
    next_try_ = Clock::now() + backoff_;
    last_failure_ = reason;
    idle_.clear();
  }
  std::rethrow_exception(failure);
}

RedisClient::Connection RedisClient::open_connection() const {
  Connection connection(
      redisConnectWithTimeout(address_.host.c_str(), address_.port, as_timeval(timeout_)));
  if (!connection) fail("cannot be reached", "out of memory");
  if (connection->err) fail("cannot be reached", connection->errstr);
  redisSetTimeout(connection.get(), as_timeval(timeout_));
  redisEnableKeepAlive(connection.get());
  return connection;
}

void RedisClient::log_in(redisContext& connection) const {
  std::vector<std::vector<std::string>> steps;
  if (!address_.password.empty()) {
    steps.push_back({"AUTH"});
    if (!address_.user.empty()) steps.back().push_back(address_.user);
    steps.back().push_back(address_.password);
  }
  if (address_.database != 0) steps.push_back({"SELECT", std::to_string(address_.database)});
  steps.push_back({"PING"});
  for (const auto& words : steps) {
    std::vector<const char*> starts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      starts.push_back(word.data());
      sizes.push_back(word.size());
    }
    const RedisReply reply(static_cast<redisReply*>(redisCommandArgv(
        &connection, static_cast<int>(words.size()), starts.data(), sizes.data())));
    if (!reply) fail("cannot be reached", connection.errstr);
    if (reply->type != REDIS_REPLY_ERROR) continue;
    const std::string_view reason = text_of(*reply);
    if (reason.starts_with("NOAUTH") || reason.starts_with("WRONGPASS") || words[0] == "AUTH") {
      throw InputError("{}: asks for another password ({}); write it as redis://:PASSWORD@{}:{}",
                       address_.without_password(), reason, address_.host, address_.port);
    }
    fail("cannot be used", reason);
  }
}

std::vector<RedisReply> RedisClient::exchange(redisContext& connection,
                                              std::span<const RedisCommand> commands,
                                              bool whole_scripts) {
  const auto fail_here = [&] {
    if (connection.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      fail("does not answer", fmt::format("waited {} ms", timeout_.count()));
    }
    throw BrokenConnection("{}: the connection broke: {}", address_.without_password(),
                           std::string_view(connection.errstr));
  };
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const RedisCommand& command : commands) {
    starts.clear();
    sizes.clear();
    const auto add = [&](std::string_view word) {
      starts.push_back(word.data());
      sizes.push_back(word.size());
    };
    if (command.script) {
      add(whole_scripts ? "EVAL" : "EVALSHA");
      add(whole_scripts ? command.script->source : command.script->sha);
    }
    for (const std::string& word : command.words) add(word);
    if (redisAppendCommandArgv(&connection, static_cast<int>(starts.size()), starts.data(),
                               sizes.data()) != REDIS_OK) {
      fail_here();
    }
  }
  std::vector<RedisReply> replies;
  replies.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    void* reply = nullptr;
    if (redisGetReply(&connection, &reply) != REDIS_OK) fail_here();
    replies.emplace_back(static_cast<redisReply*>(reply));
  }
  return replies;
}

void RedisClient::fail(std::string_view what, std::string_view reason) const {
  throw Error("{}: {}: {}", address_.without_password(), what, reason);
}

}  // namespace limber
