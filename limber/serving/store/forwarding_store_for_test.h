#pragma once

#include <memory>

#include "limber/serving/store/memory_store.h"

namespace limber {

/// A store in memory whose functions a test can override one by one.
class ForwardingStore : public MemberStore {
 public:
  ForwardingStore() : MemberStore({}), inner_(open_memory_store({})) {}

  StoreHealth health() noexcept override { return inner_->health(); }
  StoreCounts counts() override { return inner_->counts(); }

 protected:
  std::vector<AppendResult> do_append(std::span<const MemberInteraction> interactions) override {
    return inner_->append_many(interactions);
  }
  std::vector<std::vector<StoredInteraction>> do_recent(std::span<const std::string> members,
                                                        std::int64_t limit) override {
    return inner_->recent_many(members, limit);
  }
  std::vector<bool> do_put_states(std::span<const NamedState> states) override {
    return inner_->put_states(states);
  }
  std::vector<std::optional<MemberState>> do_get_states(std::span<const std::string> members,
                                                        std::string_view model,
                                                        std::string_view version) override {
    return inner_->get_states(members, model, version);
  }
  ScanPage do_scan(std::string_view cursor, std::int64_t limit, std::string_view model,
                   std::string_view version) override {
    return inner_->scan(cursor, limit, model, version);
  }
  void do_forget(std::string_view member) override { inner_->forget(member); }

 private:
  std::unique_ptr<MemberStore> inner_;
};

}  // namespace limber
