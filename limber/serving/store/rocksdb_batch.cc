#include "limber/serving/store/rocksdb_batch.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace limber {

namespace layout = rocksdb_layout;

RocksdbBatch::RocksdbBatch(const RocksdbFolder& folder, const StoreOptions& options)
    : folder_(folder),
      options_(options),
      lifetimes_(options),
      now_(options.now_ms()),
      batch_(rocksdb::BytewiseComparator(), 0, true) {}

AppendResult RocksdbBatch::append(std::string_view member, const Interaction& interaction) {
  if (is_expired(interaction.time_ms, lifetimes_.interaction_ms, now_)) {
    return {AppendOutcome::kExpired, 0};
  }
  if (!interaction.event_id.empty()) {
    if (const auto kept = kept_event(member, interaction.event_id)) {
      return {AppendOutcome::kDuplicate, *kept};
    }
  }
  layout::Head head = head_of(member);
  ++head.newest;
  head.touched_ms = std::max({head.touched_ms, interaction.time_ms, now_});
  drop_oldest(member, head);
  put(layout::kInteractions, layout::interaction_key(member, head.newest),
      layout::encode(interaction));
  if (!interaction.event_id.empty()) {
    put(layout::kEvents, layout::event_key(member, interaction.event_id),
        layout::encode(layout::Event{interaction.time_ms, head.newest}));
  }
  put(layout::kHeads, member, layout::encode(head));
  return {AppendOutcome::kStored, head.newest};
}

bool RocksdbBatch::put_state(std::string_view member, const MemberState& state) {
  if (is_expired(state.time_ms, lifetimes_.state_ms, now_)) return false;
  layout::Head head = head_of(member);
  if (state.sequence > head.newest) return false;
  const std::string key = layout::state_key(member, state.model, state.version);
  const std::optional<std::string> before = get(layout::kStates, key);
  if (before) {
    const MemberState stored = layout::decode_state(*before);
    if (stored.sequence > state.sequence &&
        !is_expired(stored.time_ms, lifetimes_.state_ms, now_)) {
      return false;
    }
  } else {
    drop_states(member);
  }
  put(layout::kStates, key, layout::encode(state));
  head.touched_ms = std::max({head.touched_ms, state.time_ms, now_});
  put(layout::kHeads, member, layout::encode(head));
  return true;
}

void RocksdbBatch::forget(std::string_view member) {
  const std::string prefix = layout::member_prefix(member);
  for (const Family family : layout::kByMember) {
    std::vector<std::string> keys;
    for_each(family, prefix,
             [&](std::string_view key, std::string_view) { keys.emplace_back(key); });
    for (const std::string& key : keys) remove(family, key);
  }
  remove(layout::kHeads, member);
}

void RocksdbBatch::probe() {
  put(layout::kDefault, layout::kFormatKey, std::to_string(layout::kFormat));
}

void RocksdbBatch::undo() {
  folder_.check(batch_.RollbackToSavePoint(), "cannot undo");
}

std::optional<std::string> RocksdbBatch::get(Family family, std::string_view key) {
  std::string value;
  const rocksdb::Status status =
      batch_.GetFromBatchAndDB(&folder_.database(), {}, folder_.family(family), key, &value);
  if (status.IsNotFound()) return std::nullopt;
  folder_.check(status, "cannot be read");
  return value;
}

void RocksdbBatch::put(Family family, std::string_view key, std::string_view value) {
  folder_.check(batch_.Put(folder_.family(family), key, value), "cannot be written");
}

void RocksdbBatch::remove(Family family, std::string_view key) {
  folder_.check(batch_.Delete(folder_.family(family), key), "cannot be written");
}

template <class Visit>
void RocksdbBatch::for_each(Family family, std::string_view prefix, const Visit& visit) {
  rocksdb::ReadOptions within_prefix;
  within_prefix.prefix_same_as_start = true;
  auto* handle = folder_.family(family);
  const std::unique_ptr<rocksdb::Iterator> at(batch_.NewIteratorWithBase(
      handle, folder_.database().NewIterator(within_prefix, handle), &within_prefix));
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
    visit(at->key().ToStringView(), at->value().ToStringView());
  }
  folder_.check(at->status(), "cannot be read");
}

layout::Head RocksdbBatch::head_of(std::string_view member) {
  const std::optional<std::string> value = get(layout::kHeads, member);
  if (!value) return {};
  const layout::Head head = layout::decode_head(*value);
  if (!is_expired(head.touched_ms, lifetimes_.head_ms, now_)) return head;
  // The member begins anew; what RocksDB has not yet dropped of the old one must not mix with it.
  forget(member);
  return {};
}

std::optional<std::int64_t> RocksdbBatch::kept_event(std::string_view member,
                                                     std::string_view event_id) {
  const std::optional<std::string> value =
      get(layout::kEvents, layout::event_key(member, event_id));
  if (!value) return std::nullopt;
  const layout::Event event = layout::decode_event(*value);
  if (is_expired(event.time_ms, lifetimes_.interaction_ms, now_)) return std::nullopt;
  return event.sequence;
}

void RocksdbBatch::drop_oldest(std::string_view member, layout::Head& head) {
  while (head.oldest < head.newest) {
    const bool too_many = head.newest - head.oldest >= options_.most_interactions;
    // Nothing to drop, and nothing to be read to know that.
    if (!too_many && lifetimes_.interaction_ms == 0) return;
    const std::string key = layout::interaction_key(member, head.oldest);
    const std::optional<std::string> value = get(layout::kInteractions, key);
    if (value) {
      const Interaction oldest = layout::decode_interaction(*value);
      if (!too_many && !is_expired(oldest.time_ms, lifetimes_.interaction_ms, now_)) return;
      remove(layout::kInteractions, key);
      if (!oldest.event_id.empty()) {
        // The same event may have come again after the first had expired: then it is not ours.
        const std::string event = layout::event_key(member, oldest.event_id);
        const std::optional<std::string> entry = get(layout::kEvents, event);
        if (entry && layout::decode_event(*entry).sequence == head.oldest) {
          remove(layout::kEvents, event);
        }
      }
    }
    ++head.oldest;
  }
}

void RocksdbBatch::drop_states(std::string_view member) {
  std::vector<std::pair<std::int64_t, std::string>> kept;
  for_each(layout::kStates, layout::member_prefix(member),
           [&](std::string_view key, std::string_view value) {
             kept.emplace_back(layout::time_of(value), key);
           });
  std::ranges::sort(kept);
  const std::int64_t most = options_.most_states - 1;
  std::int64_t too_many = std::max<std::int64_t>(std::ssize(kept) - most, 0);
  for (const auto& [time_ms, key] : kept) {
    if (--too_many < 0 && !is_expired(time_ms, lifetimes_.state_ms, now_)) break;
    remove(layout::kStates, key);
  }
}

}  // namespace limber
