#pragma once

#include <rocksdb/utilities/write_batch_with_index.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "limber/serving/store/expiry.h"
#include "limber/serving/store/rocksdb_folder.h"

namespace limber {

/// Changes of many members that will be written as one. Each sees those before it. One batch at a
/// time: between reading a head and writing it nobody else may write.
class RocksdbBatch {
 public:
  /// `folder` and `options` must outlive it.
  RocksdbBatch(const RocksdbFolder& folder, const StoreOptions& options);

  AppendResult append(std::string_view member, const Interaction& interaction);
  bool put_state(std::string_view member, const MemberState& state);
  void forget(std::string_view member);
  /// A write that changes nothing: shows whether writing works.
  void probe();

  /// What `undo` goes back to.
  void mark() { batch_.SetSavePoint(); }
  void undo();

  rocksdb::WriteBatch* changes() { return batch_.GetWriteBatch(); }

 private:
  using Family = rocksdb_layout::Family;
  std::optional<std::string> get(Family family, std::string_view key);
  void put(Family family, std::string_view key, std::string_view value);
  void remove(Family family, std::string_view key);
  /// Keys of a family that begin with `prefix`, and their values.
  template <class Visit>
  void for_each(Family family, std::string_view prefix, const Visit& visit);

  rocksdb_layout::Head head_of(std::string_view member);
  std::optional<std::int64_t> kept_event(std::string_view member, std::string_view event_id);
  void drop_oldest(std::string_view member, rocksdb_layout::Head& head);
  /// Makes room for one more state.
  void drop_states(std::string_view member);

  const RocksdbFolder& folder_;
  const StoreOptions& options_;
  Lifetimes lifetimes_;
  std::int64_t now_;
  rocksdb::WriteBatchWithIndex batch_;
};

}  // namespace limber
