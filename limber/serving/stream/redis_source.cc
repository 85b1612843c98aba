#include "limber/serving/stream/redis_source.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/serving/service/field_json.h"
#include "limber/serving/store/redis_client.h"

namespace limber {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Of each wait for Redis. Longer than it may block, or each empty stream would look like a Redis
/// that is gone.
constexpr milliseconds kTimeout{2000}, kLongestBlock{500};
/// An entry that nobody has acknowledged for so long belongs to a server that is gone, or that
/// cannot reach its store. Looking that often bounds how long a dead server's events wait.
constexpr milliseconds kIdle{2000}, kClaimInterval{500};

/// Copies an entry to the dead letters, once: one that is not pending was put there before, by us
/// or by who took it over. Acknowledged in the same step. Letters are kept up to a bound, or a
/// broken sender would fill the memory that members are in.
constexpr std::string_view kPutAside = R"(
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], '*', 'id', ARGV[2], 'event_id', ARGV[3],
           'reason', ARGV[4], 'payload', ARGV[5], 'bytes', ARGV[6])
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
)";
constexpr std::string_view kMostLetters = "100000";
/// Of a payload, that a letter keeps.
constexpr std::size_t kLongestLetter = std::size_t{256} << 10;

/// Pending entries and those not delivered. Redis before 7, and one whose entries were deleted out
/// of order, does not know the latter: they are counted, up to a bound, since counting copies them.
constexpr std::string_view kLag = R"(
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local facts = {}
  for i = 1, #group, 2 do facts[group[i]] = group[i + 1] end
  if facts['name'] == ARGV[1] then
    local waiting = facts['lag']
    if not waiting then
      local from = '(' .. facts['last-delivered-id']
      waiting = #redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])
    end
    return facts['pending'] + waiting
  end
end
return redis.error_reply('NOGROUP there is no such group')
)";
constexpr std::string_view kMostCounted = "1000";

/// A consumer that owes nothing is removed, or each restart under another name would leave one.
constexpr std::string_view kLeave = R"(
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
)";

bool says(const Error& error, std::string_view word) {
  return std::string_view(error.what()).find(word) != std::string_view::npos;
}

std::string_view text_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING && reply.type != REDIS_REPLY_STATUS) {
    throw Error("stream: Redis answered with type {}, expected text", reply.type);
  }
  return {reply.str, reply.len};
}

std::span<redisReply*> elements_of(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_NIL) return {};
  if (reply.type != REDIS_REPLY_ARRAY) {
    throw Error("stream: Redis answered with type {}, expected a list", reply.type);
  }
  return {reply.element, reply.elements};
}

class RedisSource final : public EventSource {
 public:
  RedisSource(const StreamAddress& address, std::string consumer)
      : address_(address), consumer_(std::move(consumer)), client_(address.redis, kTimeout, 1) {
    try {
      make_group();
      claim(1);
      // What was just claimed is read with the other pending entries.
      start_over();
    } catch (const InputError&) {
      throw;
    } catch (const Error& error) {
      if (says(error, "WRONGTYPE")) {
        throw InputError("--stream: {}: the key holds something else; name another stream", name());
      }
      if (says(error, "unknown command")) {
        throw InputError("--stream: {}: Redis 6.2 or newer is needed, for XAUTOCLAIM", name());
      }
      spdlog::warn("{}: {}; trying again", name(), error.what());
    }
  }

  ~RedisSource() override {
    try {
      run(scripted(leave_, {consumer_}));
    } catch (const std::exception&) {
      // A consumer without entries does no harm.
    }
  }

  std::vector<StreamEvent> poll(std::size_t most, milliseconds timeout) override {
    try {
      if (!has_group_) make_group();
      while (reads_own_) {
        const std::string from = own_position_;
        std::vector<StreamEvent> events = read(most, own_position_, milliseconds(0));
        if (!events.empty()) return events;
        if (own_position_ == from) reads_own_ = false;
      }
      if (Clock::now() >= next_claim_) {
        std::vector<StreamEvent> events = claim(most);
        if (!events.empty()) return events;
      }
      std::string position = ">";
      return read(most, position, std::clamp(timeout, milliseconds(1), kLongestBlock));
    } catch (const Error&) {
      // Redis may have delivered what did not arrive: it is pending, and ours. It may also have
      // come back without the group.
      start_over();
      has_group_ = false;
      throw;
    }
  }

  void acknowledge(std::span<const StreamEvent> events) override {
    if (events.empty()) return;
    std::vector<std::string> words{"XACK", address_.name, address_.group};
    for (const StreamEvent& event : events) words.push_back(event.position);
    run({std::move(words)});
  }

  bool put_aside(const StreamEvent& event, std::string_view reason) override {
    const std::string payload = event.payload.substr(0, kLongestLetter);
    const std::string bytes = std::to_string(event.payload.size());
    const RedisCommand command{
        {"2", address_.name, address_.name + ":dead", address_.group, event.position,
         event.event_id, std::string(reason), payload, bytes, std::string(kMostLetters)},
        &put_aside_};
    try {
      return run(command)->integer == 1;
    } catch (const Error& error) {
      if (!says(error, "NOGROUP")) throw;
      // Redis has come back without its data, or the group was destroyed: nobody owes the event any
      // more. First the letter, then the group, so that what fails in between is tried again; the
      // letter may be there twice.
      run({{"XADD", address_.name + ":dead", "MAXLEN", "~", std::string(kMostLetters), "*", "id",
            event.position, "event_id", event.event_id, "reason", std::string(reason), "payload",
            payload, "bytes", bytes}});
      make_group();
      return true;
    }
  }

  std::int64_t take_lost() override { return std::exchange(lost_, 0); }

  std::int64_t lag() override { return run(scripted(lag_, {std::string(kMostCounted)}))->integer; }

  std::string name() const override { return address_.without_password(); }

 private:
  /// All that is sent may be sent twice.
  RedisReply run(RedisCommand command) {
    return std::move(client_.run({&command, 1}, true).front());
  }

  RedisCommand scripted(const RedisScript& script, const std::vector<std::string>& more) const {
    RedisCommand command{{"1", address_.name, address_.group}, &script};
    command.words.insert(command.words.end(), more.begin(), more.end());
    return command;
  }

  void make_group() {
    try {
      run({{"XGROUP", "CREATE", address_.name, address_.group, "0", "MKSTREAM"}});
      const std::int64_t there = run({{"XLEN", address_.name}})->integer;
      if (there > 0) {
        spdlog::warn(
            "{}: the group {} is new; it reads all {} entries of the stream, from the first",
            name(), one_line(address_.group), there);
      }
    } catch (const Error& error) {
      if (!says(error, "BUSYGROUP")) throw;
    }
    has_group_ = true;
  }

  void start_over() {
    reads_own_ = true;
    own_position_ = "0";
  }

  /// Entries behind `position`, which moves to the last one: own pending ones, or new ones (">").
  std::vector<StreamEvent> read(std::size_t most, std::string& position, milliseconds block) {
    std::vector<std::string> words{"XREADGROUP", "GROUP", address_.group,
                                   consumer_,    "COUNT", std::to_string(most)};
    if (block.count() > 0) {
      words.insert(words.end(), {"BLOCK", std::to_string(block.count())});
    }
    words.insert(words.end(), {"STREAMS", address_.name, position});
    const RedisReply reply = run({std::move(words)});
    const auto streams = elements_of(*reply);
    if (streams.empty()) return {};
    const auto pair = elements_of(*streams[0]);
    if (pair.size() != 2) throw Error("stream: Redis' answer is cut short");
    const auto entries = elements_of(*pair[1]);
    if (!entries.empty()) position = text_of(*elements_of(*entries.back()).front());
    return events_of(entries);
  }

  std::vector<StreamEvent> claim(std::size_t most) {
    const RedisReply reply =
        run({{"XAUTOCLAIM", address_.name, address_.group, consumer_, std::to_string(kIdle.count()),
              claim_position_, "COUNT", std::to_string(most)}});
    const auto parts = elements_of(*reply);
    if (parts.size() < 2) throw Error("stream: Redis' answer is cut short");
    claim_position_ = text_of(*parts[0]);
    // "0-0": it has looked at all that is pending.
    next_claim_ = Clock::now();
    if (claim_position_ == "0-0") next_claim_ += kClaimInterval;
    // From Redis 7 on: those that are no longer there, which it has taken from the pending ones.
    if (parts.size() > 2) {
      for (const redisReply* gone : elements_of(*parts[2])) lose(text_of(*gone));
    }
    return events_of(elements_of(*parts[1]));
  }

  std::vector<StreamEvent> events_of(std::span<redisReply*> entries) {
    std::vector<StreamEvent> events, trimmed;
    for (const redisReply* entry : entries) {
      // Redis 6.2 says nothing in place of an entry that was claimed and is no longer there. It is
      // pending, and ours: reading these tells which one it was.
      if (entry->type == REDIS_REPLY_NIL) {
        start_over();
        continue;
      }
      const auto pair = elements_of(*entry);
      if (pair.size() != 2) throw Error("stream: Redis' answer is cut short");
      StreamEvent event = event_of(text_of(*pair[0]));
      if (pair[1]->type == REDIS_REPLY_NIL) {
        lose(event.position);
        trimmed.push_back(std::move(event));
        continue;
      }
      take_payload(elements_of(*pair[1]), event);
      events.push_back(std::move(event));
    }
    acknowledge(trimmed);
    return events;
  }

  void lose(std::string_view id) {
    ++lost_;
    spdlog::warn("{}: {} was trimmed from the stream before it was stored", name(), id);
  }

  StreamEvent event_of(std::string_view id) const {
    StreamEvent event;
    event.position = id;
    event.event_id = fmt::format("{}/{}", address_.name, id);
    std::from_chars(id.data(), id.data() + id.size(), event.time_ms);
    return event;
  }

  static void take_payload(std::span<redisReply*> fields, StreamEvent& event) {
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (fields.size() > 2 && text_of(*fields[i]) != "event") continue;
      event.payload = text_of(*fields[i + 1]);
      return;
    }
    event.problem = "the entry has several fields, and none of them is \"event\"";
    // The dead letter keeps them all.
    event.payload = "{";
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (i > 0) event.payload += ',';
      append_json_text(text_of(*fields[i]), event.payload);
      event.payload += ':';
      append_json_text(text_of(*fields[i + 1]), event.payload);
    }
    event.payload += '}';
  }

  StreamAddress address_;
  std::string consumer_;
  RedisClient client_;
  RedisScript put_aside_{kPutAside}, lag_{kLag}, leave_{kLeave};
  bool has_group_ = false;
  bool reads_own_ = true;
  std::string own_position_ = "0", claim_position_ = "0-0";
  Clock::time_point next_claim_{};
  std::int64_t lost_ = 0;
};

}  // namespace

std::unique_ptr<EventSource> open_redis_source(const StreamAddress& address,
                                               const std::string& consumer) {
  return std::make_unique<RedisSource>(address, consumer);
}

}  // namespace limber
