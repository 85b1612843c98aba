#include "limber/serving/store/rocksdb_layout.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <cstring>
#include <limits>
#include <utility>

#include "limber/serving/store/encoding.h"
#include "limber/serving/store/expiry.h"

namespace limber::rocksdb_layout {

namespace {

constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();

/// Length and member: what a Bloom filter is asked for before a range is read.
class MemberTransform final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "limber.Member"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), prefix_size(key)};
  }
  bool InDomain(const rocksdb::Slice& key) const override {
    return key.size() >= 2 && key.size() >= prefix_size(key);
  }

 private:
  static std::size_t prefix_size(const rocksdb::Slice& key) {
    const auto high = static_cast<unsigned char>(key[0]), low = static_cast<unsigned char>(key[1]);
    return 2 + std::size_t{high} * 256 + low;
  }
};

}  // namespace

std::string member_prefix(std::string_view member) {
  std::string key;
  key.reserve(2 + member.size() + 8);
  put_text(key, member);
  return key;
}

std::string interaction_key(std::string_view member, std::int64_t sequence) {
  std::string key = member_prefix(member);
  put_sortable(key, kHighest - static_cast<std::uint64_t>(sequence));
  return key;
}

std::string event_key(std::string_view member, std::string_view event_id) {
  std::string key = member_prefix(member);
  key += event_id;
  return key;
}

std::string state_key(std::string_view member, std::string_view model, std::string_view version) {
  std::string key = member_prefix(member);
  put_text(key, model);
  key += version;
  return key;
}

std::int64_t sequence_of(std::string_view key) {
  RecordReader reader(key);
  reader.text();
  return static_cast<std::int64_t>(kHighest - reader.sortable());
}

std::string encode(const Head& head) {
  std::string value;
  put_number(value, head.touched_ms);
  put_number(value, head.newest);
  put_number(value, head.oldest);
  return value;
}

std::string encode(const Event& event) {
  std::string value;
  put_number(value, event.time_ms);
  put_number(value, event.sequence);
  return value;
}

std::string encode(const Interaction& interaction) {
  std::string value;
  value.reserve(10 + interaction.event_id.size() + interaction.body.size());
  put_number(value, interaction.time_ms);
  put_text(value, interaction.event_id);
  value += interaction.body;
  return value;
}

std::string encode(const MemberState& state) {
  std::string value;
  put_number(value, state.time_ms);
  put_number(value, state.sequence);
  value.append(reinterpret_cast<const char*>(state.values.data()),
               state.values.size() * sizeof(float));
  return value;
}

Head decode_head(std::string_view value) {
  RecordReader reader(value);
  Head head;
  head.touched_ms = reader.number<std::int64_t>();
  head.newest = reader.number<std::int64_t>();
  head.oldest = reader.number<std::int64_t>();
  return head;
}

Event decode_event(std::string_view value) {
  RecordReader reader(value);
  Event event;
  event.time_ms = reader.number<std::int64_t>();
  event.sequence = reader.number<std::int64_t>();
  return event;
}

Interaction decode_interaction(std::string_view value) {
  RecordReader reader(value);
  Interaction interaction;
  interaction.time_ms = reader.number<std::int64_t>();
  interaction.event_id = reader.text();
  interaction.body = reader.rest();
  return interaction;
}

MemberState decode_state(std::string_view value) {
  RecordReader reader(value);
  MemberState state;
  state.time_ms = reader.number<std::int64_t>();
  state.sequence = reader.number<std::int64_t>();
  const std::string_view floats = reader.rest();
  if (floats.size() % sizeof(float) != 0) {
    throw Error("store: an embedding of {} bytes is cut short: the store is damaged",
                floats.size());
  }
  state.values.resize(floats.size() / sizeof(float));
  if (!floats.empty()) std::memcpy(state.values.data(), floats.data(), floats.size());
  return state;
}

std::int64_t time_of(std::string_view value) {
  return RecordReader(value).number<std::int64_t>();
}

bool ExpiryFilter::Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*,
                          bool*) const {
  // A value without a time is damaged: readers say so, if it is kept.
  return value.size() >= sizeof(std::int64_t) &&
         is_expired(time_of(value.ToStringView()), lifetime_ms_, now_ms_());
}

rocksdb::DBOptions database_options(const StoreOptions& options) {
  rocksdb::DBOptions database;
  database.create_if_missing = true;
  database.create_missing_column_families = true;
  database.paranoid_checks = true;
  // Only a write that was cut off at the log's end may be lost. RocksDB's default would also open a
  // log that is damaged in its midst, and silently lose all that follows.
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  database.db_write_buffer_size = options.write_buffer_bytes;
  // What opening has to read again.
  database.max_total_wal_size = 2 * options.write_buffer_bytes;
  database.max_background_jobs = 2;
  database.bytes_per_sync = 1 << 20;
  database.skip_stats_update_on_db_open = true;
  database.max_open_files = 1024;
  // Opening anew after the disk was full needs next to no room.
  database.avoid_flush_during_recovery = true;
  database.max_bgerror_resume_count = 0;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

rocksdb::ColumnFamilyOptions family_options(Family family, const StoreOptions& options,
                                            std::shared_ptr<rocksdb::Cache> cache,
                                            const rocksdb::CompactionFilter* filter) {
  rocksdb::ColumnFamilyOptions result;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // In pieces: of a table of millions of keys the whole filter is larger than a shard of the cache,
  // which then cannot hold it, and each look-up would read all of it from the disk.
  table.partition_filters = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.format_version = 5;
  // Of a member's interactions several are read, of the rest one.
  table.block_size = family == kInteractions ? 16 << 10 : 4 << 10;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  result.write_buffer_size = options.write_buffer_bytes / 2;
  // RocksDB's own sizes at our own buffer; in step with it, so that a store with a smaller one has
  // the levels, and costs what they cost, of a larger store with a larger one.
  result.target_file_size_base = options.write_buffer_bytes;
  result.max_bytes_for_level_base = 4 * options.write_buffer_bytes;
  // Embeddings are noise to a compressor.
  result.compression = family == kStates ? rocksdb::kNoCompression : rocksdb::kLZ4Compression;
  if (family == kInteractions) result.bottommost_compression = rocksdb::kZSTD;
  if (family == kInteractions || family == kEvents || family == kStates) {
    result.prefix_extractor = std::make_shared<MemberTransform>();
    result.memtable_prefix_bloom_size_ratio = 0.05;
  }
  result.compaction_filter = filter;
  // What was forgotten or has expired leaves the disk within a week, however little is written.
  result.periodic_compaction_seconds = std::uint64_t{7} * 24 * 60 * 60;
  return result;
}

}  // namespace limber::rocksdb_layout
