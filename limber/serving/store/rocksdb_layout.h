#pragma once

#include <rocksdb/compaction_filter.h>
#include <rocksdb/options.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "limber/serving/store/member_store.h"

/// How members lie in RocksDB. Every value begins with the time by which it expires.
///
///     default       "format"                           -> the format's number
///     heads         member                             -> touched, newest and oldest sequence
///     interactions  length, member, inverted sequence  -> time, event_id, body
///     events        length, member, event_id           -> time, sequence
///     states        length, member, model, version     -> time, sequence, values
///
/// Inverted sequences put a member's newest interaction first: reading the latest is one seek and a
/// short walk, which never meets the marks of those deleted at the other end.
namespace limber::rocksdb_layout {

constexpr int kFormat = 1;
inline constexpr char kFormatKey[] = "format";

/// The column families in the order in which they are opened.
enum Family : std::size_t { kDefault, kHeads, kInteractions, kEvents, kStates };
inline constexpr std::array<const char*, 5> kFamilies = {"default", "heads", "interactions",
                                                         "events", "states"};
/// Those whose keys begin with length and member.
inline constexpr std::array kByMember = {kInteractions, kEvents, kStates};

struct Head {
  std::int64_t touched_ms = 0;  ///< the latest time of anything that was stored
  std::int64_t newest = 0;      ///< sequence of the last interaction stored
  std::int64_t oldest = 1;      ///< of the first that is still kept, newest + 1 when none is
};

struct Event {
  std::int64_t time_ms = 0;
  std::int64_t sequence = 0;
};

std::string member_prefix(std::string_view member);
std::string interaction_key(std::string_view member, std::int64_t sequence);
std::string event_key(std::string_view member, std::string_view event_id);
std::string state_key(std::string_view member, std::string_view model, std::string_view version);
/// The sequence in an interaction's key.
std::int64_t sequence_of(std::string_view key);

std::string encode(const Head& head);
std::string encode(const Event& event);
std::string encode(const Interaction& interaction);
std::string encode(const MemberState& state);
// The way back. A value that is cut short is Error.
Head decode_head(std::string_view value);
Event decode_event(std::string_view value);
Interaction decode_interaction(std::string_view value);
/// Model and version are the key's; they are not filled in.
MemberState decode_state(std::string_view value);
std::int64_t time_of(std::string_view value);

/// Drops what has expired when RocksDB rewrites a table anyway.
class ExpiryFilter final : public rocksdb::CompactionFilter {
 public:
  ExpiryFilter(std::int64_t lifetime_ms, std::function<std::int64_t()> now_ms)
      : lifetime_ms_(lifetime_ms), now_ms_(std::move(now_ms)) {}
  const char* Name() const override { return "limber.Expiry"; }
  bool Filter(int level, const rocksdb::Slice& key, const rocksdb::Slice& value,
              std::string* new_value, bool* value_changed) const override;

 private:
  std::int64_t lifetime_ms_;
  std::function<std::int64_t()> now_ms_;
};

/// The options of the whole database.
rocksdb::DBOptions database_options(const StoreOptions& options);
/// Those of one family. `filter` may be null and must outlive the database.
rocksdb::ColumnFamilyOptions family_options(Family family, const StoreOptions& options,
                                            std::shared_ptr<rocksdb::Cache> cache,
                                            const rocksdb::CompactionFilter* filter);

}  // namespace limber::rocksdb_layout
