#include "limber/serving/store/redis_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"
#include "limber/serving/store/encoding.h"
#include "limber/serving/store/expiry.h"
#include "limber/serving/store/redis_client.h"
#include "limber/serving/store/redis_scripts.h"

namespace limber {

namespace {

constexpr std::string_view kHeads = "limber:h:", kInteractions = "limber:i:", kStates = "limber:s:";
constexpr std::string_view kIndex = "limber:members";
/// Written to see whether writing works.
constexpr std::string_view kProbe = "limber:probe";
/// Redis serves nobody else while it looks at so many members.
constexpr std::int64_t kLargestScan = 500;

std::string key_of(std::string_view kind, std::string_view member) {
  std::string key(kind);
  key += member;
  return key;
}

/// Eight bytes that are the same in every build of every server.
std::string mark_of(std::string_view event_id) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : event_id) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  }
  std::string mark;
  put_number(mark, mix64(hash));
  return mark;
}

std::string field_of(std::string_view model, std::string_view version) {
  std::string field;
  put_text(field, model);
  field += version;
  return field;
}

std::string value_of(const MemberState& state) {
  std::string value;
  put_number(value, state.time_ms);
  put_number(value, state.sequence);
  value.append(reinterpret_cast<const char*>(state.values.data()),
               state.values.size() * sizeof(float));
  return value;
}

std::string_view bytes_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING) {
    throw Error("store: Redis answered with type {}, expected bytes", reply.type);
  }
  return {reply.str, reply.len};
}

std::span<redisReply*> elements_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY) {
    throw Error("store: Redis answered with type {}, expected a list", reply.type);
  }
  return {reply.element, reply.elements};
}

StoredInteraction decode_interaction(std::string_view record) {
  RecordReader reader(record);
  StoredInteraction stored;
  stored.sequence = reader.number<std::int64_t>();
  stored.interaction.time_ms = reader.number<std::int64_t>();
  stored.interaction.event_id = reader.text();
  stored.interaction.body = reader.rest();
  return stored;
}

class RedisStore final : public MemberStore {
 public:
  RedisStore(std::string_view url, StoreOptions options)
      : MemberStore(std::move(options)),
        lifetimes_(options_),
        client_(RedisAddress::parse(url), options_.timeout, options_.most_connections) {
    run_one({"PING"});
    warn_of_settings();
  }

  StoreHealth health() noexcept override {
    try {
      // A Redis that became a replica, or is full, answers a PING.
      run_one({"SET", std::string(kProbe), "", "PX", "60000"});
    } catch (const std::exception& error) {
      return {false, error.what()};
    }
    return {};
  }

  StoreCounts counts() override {
    StoreCounts counts;
    counts.members = run_one({"ZCARD", std::string(kIndex)})->integer;
    const RedisReply memory = run_one({"INFO", "memory"});
    constexpr std::string_view kUsed = "used_memory:";
    const std::string_view text = bytes_of(*memory);
    if (const auto at = text.find(kUsed); at != std::string_view::npos) {
      std::from_chars(text.data() + at + kUsed.size(), text.data() + text.size(), counts.bytes);
    }
    return counts;
  }

 protected:
  std::vector<AppendResult> do_append(std::span<const MemberInteraction> interactions) override {
    // One script a member, in the order in which they first come.
    std::vector<RedisCommand> commands;
    std::vector<std::vector<std::size_t>> places;
    std::map<std::string_view, std::size_t> command_of;
    bool repeatable = true;
    for (std::size_t i = 0; i < interactions.size(); ++i) {
      const auto& [member, interaction] = interactions[i];
      const auto [found, added] = command_of.try_emplace(member, commands.size());
      if (added) {
        commands.push_back(scripted(append_, member));
        commands.back().words.push_back(std::to_string(options_.most_interactions));
        places.emplace_back();
      }
      places[found->second].push_back(i);
      std::string event, record;
      put_text(event, interaction.event_id);
      put_number(record, interaction.time_ms);
      record += event;
      record += interaction.body;
      auto& words = commands[found->second].words;
      words.push_back(std::to_string(interaction.time_ms));
      words.push_back(mark_of(interaction.event_id));
      words.push_back(std::move(event));
      words.push_back(std::move(record));
      // Without an event_id, what was stored before the connection broke would be stored twice.
      repeatable = repeatable && !interaction.event_id.empty();
    }
    const std::vector<RedisReply> replies = client_.run(commands, repeatable);
    std::vector<AppendResult> results(interactions.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const auto numbers = elements_of(*replies[i]);
      if (numbers.size() != 2 * places[i].size()) throw Error("store: Redis' answer is cut short");
      for (std::size_t j = 0; j < places[i].size(); ++j) {
        results[places[i][j]] = {static_cast<AppendOutcome>(numbers[2 * j]->integer),
                                 numbers[2 * j + 1]->integer};
      }
    }
    return results;
  }

  std::vector<std::vector<StoredInteraction>> do_recent(std::span<const std::string> members,
                                                        std::int64_t limit) override {
    std::vector<std::size_t> all(members.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    std::vector<std::vector<StoredInteraction>> result(members.size());
    const std::vector<std::size_t> short_ones = read_latest(members, all, limit, limit, result);
    // Some of the latest had expired, though older ones may not have: those members are read whole.
    if (!short_ones.empty()) read_latest(members, short_ones, 0, limit, result);
    return result;
  }

  std::vector<bool> do_put_states(std::span<const NamedState> states) override {
    std::vector<RedisCommand> commands;
    commands.reserve(states.size());
    for (const auto& [member, state] : states) {
      RedisCommand command = scripted(put_state_, member);
      command.words.push_back(std::to_string(options_.most_states));
      command.words.push_back(field_of(state.model, state.version));
      command.words.push_back(std::to_string(state.time_ms));
      command.words.push_back(std::to_string(state.sequence));
      command.words.push_back(value_of(state));
      commands.push_back(std::move(command));
    }
    std::vector<bool> results;
    for (const RedisReply& reply : client_.run(commands, true)) {
      results.push_back(reply->integer == 1);
    }
    return results;
  }

  std::vector<std::optional<MemberState>> do_get_states(std::span<const std::string> members,
                                                        std::string_view model,
                                                        std::string_view version) override {
    const std::string field = field_of(model, version);
    std::vector<RedisCommand> commands;
    commands.reserve(members.size());
    for (const std::string& member : members) {
      commands.push_back({{"HGET", key_of(kStates, member), field}});
    }
    const std::int64_t now = options_.now_ms();
    const std::vector<RedisReply> replies = client_.run(commands, true);
    std::vector<std::optional<MemberState>> result(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (replies[i]->type == REDIS_REPLY_NIL) continue;
      RecordReader reader(bytes_of(*replies[i]));
      MemberState state;
      state.model = model;
      state.version = version;
      state.time_ms = reader.number<std::int64_t>();
      state.sequence = reader.number<std::int64_t>();
      const std::string_view floats = reader.rest();
      state.values.resize(floats.size() / sizeof(float));
      if (!floats.empty()) {
        std::memcpy(state.values.data(), floats.data(), state.values.size() * sizeof(float));
      }
      if (!is_expired(state.time_ms, lifetimes_.state_ms, now)) result[i] = std::move(state);
    }
    return result;
  }

  ScanPage do_scan(std::string_view cursor, std::int64_t limit, std::string_view model,
                   std::string_view version) override {
    ScanPage page;
    page.next_cursor = cursor;
    for (std::int64_t left = limit; left > 0;) {
      const std::int64_t looked_at = std::min(left, kLargestScan);
      RedisCommand command = scripted(scan_, page.next_cursor);
      command.words.push_back(std::to_string(looked_at));
      command.words.push_back(field_of(model, version));
      command.words.emplace_back(kHeads);
      command.words.emplace_back(kStates);
      const std::vector<RedisReply> replies = client_.run({&command, 1}, true);
      const auto found = elements_of(*replies.front());
      page.next_cursor = bytes_of(*found[0]);
      for (std::size_t i = 1; i + 2 < found.size(); i += 3) {
        ScanEntry entry{std::string(bytes_of(*found[i])), found[i + 1]->integer, {}};
        if (found[i + 2]->integer >= 0) entry.state_sequence = found[i + 2]->integer;
        page.entries.push_back(std::move(entry));
      }
      if (page.next_cursor.empty()) break;
      left -= looked_at;
    }
    return page;
  }

  void do_forget(std::string_view member) override {
    const RedisCommand command = scripted(forget_, member);
    client_.run({&command, 1}, true);
  }

 private:
  RedisReply run_one(std::vector<std::string> words) {
    const RedisCommand command{std::move(words)};
    return std::move(client_.run({&command, 1}, true).front());
  }

  /// With the keys and words that all scripts begin with.
  RedisCommand scripted(const RedisScript& script, std::string_view member) const {
    return {{"4", key_of(kHeads, member), key_of(kInteractions, member), key_of(kStates, member),
             std::string(kIndex), std::to_string(options_.now_ms()),
             std::to_string(lifetimes_.interaction_ms), std::to_string(lifetimes_.state_ms),
             std::to_string(lifetimes_.head_ms), std::string(member)},
            &script};
  }

  /// Reads the last `length` interactions (0: all) of the members in `places`, keeps at most
  /// `limit` of those that live, and returns the places where there may be more of these.
  std::vector<std::size_t> read_latest(std::span<const std::string> members,
                                       std::span<const std::size_t> places, std::int64_t length,
                                       std::int64_t limit,
                                       std::vector<std::vector<StoredInteraction>>& result) {
    std::vector<RedisCommand> commands;
    for (const std::size_t place : places) {
      commands.push_back(
          {{"LRANGE", key_of(kInteractions, members[place]), std::to_string(-length), "-1"}});
    }
    const std::int64_t now = options_.now_ms();
    const std::vector<RedisReply> replies = client_.run(commands, true);
    std::vector<std::size_t> more;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto records = elements_of(*replies[i]);
      auto& kept = result[places[i]];
      kept.clear();
      for (const redisReply* record : records) {
        StoredInteraction stored = decode_interaction(bytes_of(*record));
        if (is_expired(stored.interaction.time_ms, lifetimes_.interaction_ms, now)) continue;
        kept.push_back(std::move(stored));
      }
      if (length > 0 && kept.size() < records.size() && std::ssize(records) == length) {
        more.push_back(places[i]);
      }
      if (std::ssize(kept) > limit) kept.erase(kept.begin(), kept.end() - limit);
    }
    return more;
  }

  void warn_of_settings() {
    RedisReply setting;
    try {
      setting = run_one({"CONFIG", "GET", "appendonly"});
    } catch (const Error&) {
      return;  // Hosted ones often keep their settings to themselves.
    }
    const auto pair = elements_of(*setting);
    if (pair.size() == 2 && bytes_of(*pair[1]) == "no") {
      spdlog::warn("{}: appendonly is off: what is stored may be lost when Redis ends",
                   client_.address().without_password());
    }
  }

  static RedisScript script(const char* body) {
    return RedisScript(std::string(redis_scripts::kCommon) + body);
  }

  Lifetimes lifetimes_;
  RedisScript append_ = script(redis_scripts::kAppend);
  RedisScript put_state_ = script(redis_scripts::kPutState);
  RedisScript forget_ = script(redis_scripts::kForget);
  RedisScript scan_ = script(redis_scripts::kScan);
  RedisClient client_;
};

}  // namespace

std::unique_ptr<MemberStore> open_redis_store(std::string_view url, StoreOptions options) {
  return std::make_unique<RedisStore>(url, std::move(options));
}

}  // namespace limber
