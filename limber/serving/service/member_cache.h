#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "limber/serving/runtime/support_rows.h"

namespace limber {

/// What ranking needs of a member, as one version of a model sees it.
struct MemberEntry {
  MemberVector vector;
  std::vector<std::vector<std::int32_t>> sequences;  ///< latest values, by sequence feature
  std::int64_t sequence = 0;      ///< of the newest interaction adapted on; 0: none
  std::int64_t interactions = 0;  ///< that the adaptation looked at
  std::uint64_t model = 0;        ///< ServedModel::id() of the one that made it
  bool unknown = false;           ///< the store could not be asked
};

/// The members that were asked for last, in memory. Thread-safe.
class MemberCache {
 public:
  /// `capacity`: members kept.
  explicit MemberCache(std::size_t capacity) : capacity_((capacity + kShards - 1) / kShards) {}

  /// Null when it is not there, or was made by another model.
  std::shared_ptr<const MemberEntry> find(std::string_view member, std::uint64_t model);
  /// Keeps the entry unless a newer one of the same model is there.
  void put(std::string_view member, std::shared_ptr<const MemberEntry> entry);
  void forget(std::string_view member);
  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Item {
    std::string member;
    std::shared_ptr<const MemberEntry> entry;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Item> items;  ///< latest first
    std::unordered_map<std::string_view, std::list<Item>::iterator> places;
  };
  Shard& shard(std::string_view member) {
    return shards_[std::hash<std::string_view>{}(member) % kShards];
  }

  std::size_t capacity_;
  std::array<Shard, kShards> shards_;
};

}  // namespace limber
