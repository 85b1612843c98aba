#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "limber/core/base/error.h"
#include "limber/serving/rows/served_model.h"
#include "limber/serving/service/member_cache.h"
#include "limber/serving/store/member_store.h"

namespace limber {

/// The store cannot be used right now; what was asked for may work again later.
class StoreUnavailable : public Error {
 public:
  using Error::Error;
};

/// Keeps members' vectors fresh: from memory, from the store, or by adapting to the stored
/// interactions. Thread-safe.
class Personaliser {
 public:
  Personaliser(MemberStore& store, std::size_t cached_members)
      : store_(store), cache_(cached_members), keeps_members_(cached_members > 0) {}

  /// The member as `model` sees it now. Adapts only when neither memory nor the store has an
  /// embedding of this version that knows of all interactions. While the store cannot be used, a
  /// member that is not in memory is taken for one that nobody has seen (MemberEntry::unknown).
  std::shared_ptr<const MemberEntry> entry(const ServedModel& model, Workbench& bench,
                                           std::string_view member);

  /// Adapts the member to what the store holds, and keeps the result in memory and in the store.
  /// Throws StoreUnavailable.
  std::shared_ptr<const MemberEntry> refresh(const ServedModel& model, Workbench& bench,
                                             std::string_view member);

  /// Adapts many, in one pass over the store each for reading and writing.
  void refresh_many(const ServedModel& model, Workbench& bench,
                    std::span<const std::string> members);

  /// Stores interactions. Throws StoreUnavailable.
  std::vector<AppendResult> append(const std::vector<MemberInteraction>& interactions);

  /// Forgets what memory has of a member: the store knows more by now.
  void drop(std::string_view member) { cache_.forget(member); }

  /// Removes all about a member, here and in the store. Throws StoreUnavailable.
  void forget(std::string_view member);
  std::size_t cached() const { return cache_.size(); }
  /// Whether it keeps any in memory.
  bool keeps_members() const { return keeps_members_; }
  MemberStore& store() { return store_; }

 private:
  std::shared_ptr<const MemberEntry> stored_entry(const ServedModel& model,
                                                  std::string_view member);
  std::shared_ptr<const MemberEntry> adapt(const ServedModel& model, Workbench& bench,
                                           std::string_view member,
                                           const std::vector<StoredInteraction>& interactions);

  /// Keeps an entry in memory, made from what the store held at `generation`.
  void remember(std::string_view member, std::shared_ptr<const MemberEntry> entry,
                std::uint64_t generation);

  MemberStore& store_;
  MemberCache cache_;
  bool keeps_members_;
  /// How often a member was forgotten. Numbering begins anew then, so that what was read before
  /// would pass for newer than what comes after.
  std::atomic<std::uint64_t> generation_ = 0;
};

}  // namespace limber
