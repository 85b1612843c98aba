#include "limber/serving/service/load_interactions.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace limber {
namespace {

std::int64_t leave_out_older(MemberStore& store, std::vector<MemberInteraction>& interactions) {
  std::unordered_set<std::string_view> names;
  for (const MemberInteraction& one : interactions) names.insert(one.member);
  std::vector<std::string> members(names.begin(), names.end());
  std::ranges::sort(members);
  std::unordered_map<std::string, std::int64_t> newest;
  constexpr std::size_t together = 1024;
  for (std::size_t first = 0; first < members.size(); first += together) {
    const auto some = std::span(members).subspan(first, std::min(together, members.size() - first));
    const auto recent = store.recent_many(some, 1);
    for (std::size_t m = 0; m < some.size(); ++m) {
      if (!recent[m].empty()) newest[some[m]] = recent[m].back().interaction.time_ms;
    }
  }
  if (newest.empty()) return 0;
  return static_cast<std::int64_t>(std::erase_if(interactions, [&](const MemberInteraction& one) {
    const auto found = newest.find(one.member);
    return found != newest.end() && one.interaction.time_ms < found->second;
  }));
}

}  // namespace

LoadedInteractions load_interactions(MemberStore& store,
                                     std::vector<MemberInteraction>& interactions) {
  constexpr std::size_t together = 4096;
  LoadedInteractions loaded;
  for (std::size_t first = 0; first < interactions.size(); first += together) {
    const std::size_t size = std::min(together, interactions.size() - first);
    const auto some = std::span(interactions).subspan(first, size);
    // Side by side in the order of names: what a store keeps in that order is found together.
    std::ranges::stable_sort(some, {}, &MemberInteraction::member);
    for (const AppendResult& result : store.append_many(some)) {
      ++(result.stored() ? loaded.stored : loaded.known);
    }
  }
  return loaded;
}

LoadedInteractions load_in_order(MemberStore& store, std::vector<MemberInteraction> interactions) {
  std::stable_sort(interactions.begin(), interactions.end(),
                   [](const MemberInteraction& a, const MemberInteraction& b) {
                     return a.interaction.time_ms < b.interaction.time_ms;
                   });
  const std::int64_t older = leave_out_older(store, interactions);
  LoadedInteractions loaded = load_interactions(store, interactions);
  loaded.known += older;
  return loaded;
}

}  // namespace limber
