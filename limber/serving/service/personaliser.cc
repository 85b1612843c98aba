#include "limber/serving/service/personaliser.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/serving/rows/member_rows.h"
#include "limber/serving/service/field_json.h"

namespace limber {
namespace {

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What `use` returns; a store that fails, and not its caller, becomes StoreUnavailable.
template <class Use>
auto ask_store(Use use) {
  try {
    return use();
  } catch (const BadArgument&) {
    throw;
  } catch (const Error& error) {
    throw StoreUnavailable("the store cannot be used: {}", error.what());
  }
}

/// A warning that each request might cause: at most one a second, or an outage fills the disk.
void warn(const std::string& text) {
  static std::atomic<std::int64_t> next = 0;
  std::int64_t due = next;
  const std::int64_t now = now_ms();
  if (now < due || !next.compare_exchange_strong(due, now + 1000)) return;
  spdlog::warn("{}", text);
}

}  // namespace

std::shared_ptr<const MemberEntry> Personaliser::entry(const ServedModel& model, Workbench& bench,
                                                       std::string_view member) {
  if (auto cached = cache_.find(member, model.id())) return cached;
  try {
    if (auto stored = stored_entry(model, member)) return stored;
    return refresh(model, bench, member);
  } catch (const StoreUnavailable& error) {
    // Better a ranking for nobody in particular than none.
    warn(fmt::format("member {} is ranked as unknown: {}", one_line(member),
                     one_line(error.what())));
    auto entry = std::make_shared<MemberEntry>(*adapt(model, bench, member, {}));
    entry->unknown = true;
    return entry;
  }
}

std::shared_ptr<const MemberEntry> Personaliser::stored_entry(const ServedModel& model,
                                                              std::string_view member) {
  const RuntimeModel& runtime = model.runtime();
  // What a sequence holds is not part of the stored vector.
  if (model.has_sequences() || !runtime.uses_support()) return nullptr;
  const std::uint64_t generation = generation_;
  const auto state =
      ask_store([&] { return store_.get_state(member, runtime.name(), runtime.version()); });
  if (!state || static_cast<std::int64_t>(state->values.size()) < runtime.known_width()) {
    return nullptr;
  }
  // Another server, or one that was killed, may have stored interactions since.
  const auto newest = ask_store([&] { return store_.recent(member, 1); });
  if (!newest.empty() && newest.back().sequence > state->sequence) return nullptr;
  auto entry = std::make_shared<MemberEntry>();
  const auto known = state->values.begin() + runtime.known_width();
  entry->vector.known.assign(state->values.begin(), known);
  entry->vector.slots.assign(known, state->values.end());
  entry->sequence = state->sequence;
  entry->interactions = std::min(state->sequence, model.interactions_wanted());
  entry->model = model.id();
  remember(member, entry, generation);
  return entry;
}

std::shared_ptr<const MemberEntry> Personaliser::refresh(const ServedModel& model, Workbench& bench,
                                                         std::string_view member) {
  const std::uint64_t generation = generation_;
  std::vector<StoredInteraction> interactions;
  try {
    interactions = ask_store([&] { return store_.recent(member, model.interactions_wanted()); });
  } catch (const StoreUnavailable&) {
    // What is in memory may be out of date now.
    cache_.forget(member);
    throw;
  }
  auto entry = adapt(model, bench, member, interactions);
  remember(member, entry, generation);
  if (entry->sequence > 0 && model.runtime().uses_support()) {
    const bool current = ask_store([&] {
      return store_.put_state(member, {entry->vector.joined(), model.runtime().name(),
                                       model.runtime().version(), now_ms(), entry->sequence});
    });
    // The member was forgotten, or adapted to something newer, in between.
    if (!current) cache_.forget(member);
    // Forgotten, and back: what was just stored may be of the life before.
    if (generation_ != generation) return refresh(model, bench, member);
  }
  return entry;
}

void Personaliser::refresh_many(const ServedModel& model, Workbench& bench,
                                std::span<const std::string> members) {
  const std::uint64_t generation = generation_;
  const auto recent = store_.recent_many(members, model.interactions_wanted());
  std::vector<NamedState> states;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const auto entry = adapt(model, bench, members[m], recent[m]);
    if (entry->sequence == 0) continue;
    // Memory is left alone: a refresh of all must not push out the few in use.
    states.push_back({members[m],
                      {entry->vector.joined(), model.runtime().name(), model.runtime().version(),
                       now_ms(), entry->sequence}});
  }
  store_.put_states(states);
  if (generation_ == generation) return;
  for (const std::string& member : members) refresh(model, bench, member);
}

void Personaliser::remember(std::string_view member, std::shared_ptr<const MemberEntry> entry,
                            std::uint64_t generation) {
  cache_.put(member, std::move(entry));
  if (generation_ != generation) cache_.forget(member);
}

std::vector<AppendResult> Personaliser::append(const std::vector<MemberInteraction>& interactions) {
  return ask_store([&] { return store_.append_many(interactions); });
}

void Personaliser::forget(std::string_view member) {
  ask_store([&] {
    store_.forget(member);
    return true;
  });
  ++generation_;
  cache_.forget(member);
}

std::shared_ptr<const MemberEntry> Personaliser::adapt(
    const ServedModel& model, Workbench& bench, std::string_view member,
    const std::vector<StoredInteraction>& interactions) {
  const RequestSchema& schema = model.schema();
  MemberRows rows(model, bench, member);
  auto entry = std::make_shared<MemberEntry>();
  entry->model = model.id();
  for (const StoredInteraction& stored : interactions) {
    try {
      http::read_json(stored.interaction.body, [&](http::JsonValue& root) {
        FieldRow row(schema);
        NamedLabels named;
        root.object([&](std::string_view key, http::JsonValue& value) {
          const int column = schema.find(key);
          if (key == "labels" && value.type() == http::JsonType::kObject) {
            value.object([&](std::string_view label, http::JsonValue& given) {
              named.emplace_back(std::string(label), given.number());
            });
          } else if (column >= 0) {
            row[static_cast<std::size_t>(column)] = read_field(value);
          }
        });
        rows.add(row, named);
      });
    } catch (const std::exception& error) {
      // A model that reads a column differently from the one that accepted the interaction.
      spdlog::warn("member {}: interaction {} is left out: {}", one_line(member), stored.sequence,
                   one_line(error.what()));
    }
    entry->sequence = stored.sequence;
  }
  MemberRows::Result result = rows.adapt(entry->vector);
  entry->sequences = std::move(result.sequences);
  entry->interactions = result.interactions;
  return entry;
}

}  // namespace limber
