#include "limber/serving/store/member_store.h"

#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/serving/store/memory_store.h"
#include "limber/serving/store/redis_store.h"
#include "limber/serving/store/rocksdb_store.h"

namespace limber {

namespace {

void check_name(std::string_view what, std::string_view name) {
  if (name.size() > kLongestName) {
    throw BadArgument("store: {} of {} bytes is too long; at most {} can be stored", what,
                      name.size(), kLongestName);
  }
}

void check_member(std::string_view member) {
  if (member.empty()) throw BadArgument("store: the member's name is empty");
  check_name("a member's name", member);
}

void check_limit(std::int64_t limit) {
  if (limit < 0) throw BadArgument("store: a limit of {} is negative", limit);
}

void check_ttl(std::string_view name, std::chrono::seconds ttl) {
  constexpr std::chrono::seconds kLongest = std::chrono::years(1000);
  if (ttl.count() < 0 || ttl > kLongest) {
    throw InputError("store: {} is {} s; expected 0 (forever) to {} s", name, ttl.count(),
                     kLongest.count());
  }
}

void check_at_least(std::string_view name, std::int64_t value, std::int64_t least) {
  if (value < least) throw InputError("store: {} is {}; expected {} or more", name, value, least);
}

}  // namespace

MemberStore::MemberStore(StoreOptions options) : options_(std::move(options)) {
  check_at_least("most_interactions", options_.most_interactions, 1);
  check_at_least("most_states", options_.most_states, 1);
  check_at_least("timeout", options_.timeout.count(), 1);
  check_at_least("most_connections", options_.most_connections, 1);
  check_ttl("interaction_ttl", options_.interaction_ttl);
  check_ttl("state_ttl", options_.state_ttl);
  if (!options_.now_ms) {
    options_.now_ms = [] {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      return std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
    };
  }
}

AppendResult MemberStore::append(std::string_view member, Interaction interaction) {
  const MemberInteraction one{std::string(member), std::move(interaction)};
  return append_many({&one, 1}).front();
}

void MemberStore::check(std::span<const MemberInteraction> interactions) {
  for (const auto& [member, interaction] : interactions) {
    check_member(member);
    check_name("an event_id", interaction.event_id);
    if (interaction.body.size() > kLongestBody) {
      throw BadArgument("store: an interaction of {} bytes is too long; at most {} can be stored",
                        interaction.body.size(), kLongestBody);
    }
  }
}

std::vector<AppendResult> MemberStore::append_many(
    std::span<const MemberInteraction> interactions) {
  check(interactions);
  if (interactions.empty()) return {};
  return do_append(interactions);
}

std::vector<StoredInteraction> MemberStore::recent(std::string_view member, std::int64_t limit) {
  const std::string one(member);
  return std::move(recent_many({&one, 1}, limit).front());
}

std::vector<std::vector<StoredInteraction>> MemberStore::recent_many(
    std::span<const std::string> members, std::int64_t limit) {
  for (const std::string& member : members) check_member(member);
  check_limit(limit);
  if (members.empty() || limit == 0) {
    return std::vector<std::vector<StoredInteraction>>(members.size());
  }
  return do_recent(members, limit);
}

bool MemberStore::put_state(std::string_view member, const MemberState& state) {
  const NamedState one{std::string(member), state};
  return put_states({&one, 1}).front();
}

std::vector<bool> MemberStore::put_states(std::span<const NamedState> states) {
  for (const auto& [member, state] : states) {
    check_member(member);
    check_name("a model's name", state.model);
    check_name("a model's version", state.version);
    if (state.sequence < 0) {
      throw BadArgument("store: a state's sequence is {}; expected 0 or more", state.sequence);
    }
  }
  if (states.empty()) return {};
  return do_put_states(states);
}

std::optional<MemberState> MemberStore::get_state(std::string_view member, std::string_view model,
                                                  std::string_view version) {
  const std::string one(member);
  return std::move(get_states({&one, 1}, model, version).front());
}

std::vector<std::optional<MemberState>> MemberStore::get_states(
    std::span<const std::string> members, std::string_view model, std::string_view version) {
  for (const std::string& member : members) check_member(member);
  check_name("a model's name", model);
  check_name("a model's version", version);
  if (members.empty()) return {};
  return do_get_states(members, model, version);
}

ScanPage MemberStore::scan(std::string_view cursor, std::int64_t limit, std::string_view model,
                           std::string_view version) {
  check_name("a cursor", cursor);
  check_name("a model's name", model);
  check_name("a model's version", version);
  if (limit < 1) throw BadArgument("store: a page of {} members; expected 1 or more", limit);
  return do_scan(cursor, limit, model, version);
}

void MemberStore::forget(std::string_view member) {
  check_member(member);
  do_forget(member);
}

std::unique_ptr<MemberStore> open_member_store(std::string_view url, StoreOptions options) {
  constexpr std::string_view kRocksdb = "rocksdb:";
  if (url.starts_with(kRocksdb) && url.size() > kRocksdb.size()) {
    return open_rocksdb_store(std::string(url.substr(kRocksdb.size())), std::move(options));
  }
  if (url.starts_with("redis://")) return open_redis_store(url, std::move(options));
  if (url == "memory:") return open_memory_store(std::move(options));
  // An address that may hold a password is not repeated.
  const bool secret = url.find('@') != std::string_view::npos;
  throw InputError(
      "store{}: the address is none of rocksdb:FOLDER, redis://[:PASSWORD@]HOST[:PORT][/DB] and "
      "memory:",
      secret ? "" : " " + one_short_line(url, 80));
}

}  // namespace limber
