#include "limber/serving/store/memory_store.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "limber/serving/store/expiry.h"

namespace limber {

namespace {

class MemoryStore final : public MemberStore {
 public:
  explicit MemoryStore(StoreOptions options)
      : MemberStore(std::move(options)), lifetimes_(options_) {}

  StoreHealth health() noexcept override { return {}; }

  StoreCounts counts() override {
    const std::shared_lock lock(mutex_);
    StoreCounts counts{.members = static_cast<std::int64_t>(members_.size()), .interactions = 0};
    for (const auto& [name, member] : members_) {
      *counts.interactions += static_cast<std::int64_t>(member.kept.size());
      std::size_t bytes = name.size() + sizeof(Member);
      for (const auto& [sequence, interaction] : member.kept) {
        bytes += sizeof(StoredInteraction) + interaction.event_id.size() + interaction.body.size();
      }
      for (const MemberState& state : member.states) {
        bytes += sizeof(MemberState) + state.values.size() * sizeof(float);
      }
      counts.bytes += static_cast<std::int64_t>(bytes);
    }
    return counts;
  }

 protected:
  std::vector<AppendResult> do_append(std::span<const MemberInteraction> interactions) override {
    const std::int64_t now = options_.now_ms();
    const std::scoped_lock lock(mutex_);
    std::vector<AppendResult> results;
    results.reserve(interactions.size());
    for (const auto& [name, interaction] : interactions) {
      results.push_back(append_one(name, interaction, now));
    }
    return results;
  }

  std::vector<std::vector<StoredInteraction>> do_recent(std::span<const std::string> members,
                                                        std::int64_t limit) override {
    const std::int64_t now = options_.now_ms();
    const std::shared_lock lock(mutex_);
    std::vector<std::vector<StoredInteraction>> result(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto found = members_.find(members[i]);
      if (found == members_.end()) continue;
      const auto& kept = found->second.kept;
      for (auto at = kept.rbegin(); at != kept.rend(); ++at) {
        if (std::ssize(result[i]) == limit) break;
        if (!is_expired(at->interaction.time_ms, lifetimes_.interaction_ms, now)) {
          result[i].push_back(*at);
        }
      }
      std::ranges::reverse(result[i]);
    }
    return result;
  }

  std::vector<bool> do_put_states(std::span<const NamedState> states) override {
    const std::int64_t now = options_.now_ms();
    const std::scoped_lock lock(mutex_);
    std::vector<bool> results;
    results.reserve(states.size());
    for (const auto& [name, state] : states) results.push_back(put_one(name, state, now));
    return results;
  }

  std::vector<std::optional<MemberState>> do_get_states(std::span<const std::string> members,
                                                        std::string_view model,
                                                        std::string_view version) override {
    const std::int64_t now = options_.now_ms();
    const std::shared_lock lock(mutex_);
    std::vector<std::optional<MemberState>> result(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto found = members_.find(members[i]);
      if (found == members_.end()) continue;
      if (const MemberState* state = state_of(found->second, model, version, now)) {
        result[i] = *state;
      }
    }
    return result;
  }

  ScanPage do_scan(std::string_view cursor, std::int64_t limit, std::string_view model,
                   std::string_view version) override {
    const std::int64_t now = options_.now_ms();
    const std::shared_lock lock(mutex_);
    ScanPage page;
    auto at = members_.upper_bound(cursor);
    for (std::int64_t looked_at = 0; at != members_.end() && looked_at < limit; ++at, ++looked_at) {
      page.next_cursor = at->first;
      const Member& member = at->second;
      if (is_expired(member.touched_ms, lifetimes_.head_ms, now)) continue;
      const MemberState* state = state_of(member, model, version, now);
      if (member.newest <= (state ? state->sequence : 0)) continue;
      ScanEntry entry{at->first, member.newest, {}};
      if (state) entry.state_sequence = state->sequence;
      page.entries.push_back(std::move(entry));
    }
    if (at == members_.end()) page.next_cursor.clear();
    return page;
  }

  void do_forget(std::string_view name) override {
    const std::scoped_lock lock(mutex_);
    if (const auto found = members_.find(name); found != members_.end()) members_.erase(found);
  }

 private:
  struct Member {
    std::int64_t newest = 0;
    std::int64_t touched_ms = 0;
    std::deque<StoredInteraction> kept;
    std::vector<MemberState> states;
  };

  Member& touched(const std::string& name, std::int64_t time_ms, std::int64_t now) {
    Member& member = members_[name];
    if (is_expired(member.touched_ms, lifetimes_.head_ms, now)) member = {};
    member.touched_ms = std::max({member.touched_ms, time_ms, now});
    return member;
  }

  AppendResult append_one(const std::string& name, const Interaction& interaction,
                          std::int64_t now) {
    const auto expired = [&](const StoredInteraction& kept) {
      return is_expired(kept.interaction.time_ms, lifetimes_.interaction_ms, now);
    };
    if (expired({0, interaction})) return {AppendOutcome::kExpired, 0};
    Member& member = touched(name, interaction.time_ms, now);
    while (!member.kept.empty() && expired(member.kept.front())) member.kept.pop_front();
    if (!interaction.event_id.empty()) {
      const auto same = std::ranges::find_if(member.kept, [&](const StoredInteraction& kept) {
        return kept.interaction.event_id == interaction.event_id && !expired(kept);
      });
      if (same != member.kept.end()) return {AppendOutcome::kDuplicate, same->sequence};
    }
    member.kept.push_back({++member.newest, interaction});
    if (std::ssize(member.kept) > options_.most_interactions) member.kept.pop_front();
    return {AppendOutcome::kStored, member.newest};
  }

  bool put_one(const std::string& name, const MemberState& state, std::int64_t now) {
    if (is_expired(state.time_ms, lifetimes_.state_ms, now)) return false;
    const auto found = members_.find(name);
    const bool known =
        found != members_.end() && !is_expired(found->second.touched_ms, lifetimes_.head_ms, now);
    if (state.sequence > (known ? found->second.newest : 0)) return false;
    Member& member = touched(name, state.time_ms, now);
    const MemberState* before = state_of(member, state.model, state.version, now);
    if (before && before->sequence > state.sequence) return false;
    std::erase_if(member.states, [&](const MemberState& old) {
      return is_expired(old.time_ms, lifetimes_.state_ms, now) ||
             (old.model == state.model && old.version == state.version);
    });
    if (std::ssize(member.states) >= options_.most_states) {
      member.states.erase(std::ranges::min_element(member.states, {}, &MemberState::time_ms));
    }
    member.states.push_back(state);
    return true;
  }

  const MemberState* state_of(const Member& member, std::string_view model,
                              std::string_view version, std::int64_t now) const {
    for (const MemberState& state : member.states) {
      if (state.model == model && state.version == version &&
          !is_expired(state.time_ms, lifetimes_.state_ms, now)) {
        return &state;
      }
    }
    return nullptr;
  }

  Lifetimes lifetimes_;
  std::shared_mutex mutex_;
  std::map<std::string, Member, std::less<>> members_;
};

}  // namespace

std::unique_ptr<MemberStore> open_memory_store(StoreOptions options) {
  return std::make_unique<MemoryStore>(std::move(options));
}

}  // namespace limber
