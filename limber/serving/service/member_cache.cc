#include "limber/serving/service/member_cache.h"

namespace limber {

std::shared_ptr<const MemberEntry> MemberCache::find(std::string_view member, std::uint64_t model) {
  Shard& place = shard(member);
  const std::lock_guard lock(place.mutex);
  const auto found = place.places.find(member);
  if (found == place.places.end() || found->second->entry->model != model) return nullptr;
  place.items.splice(place.items.begin(), place.items, found->second);
  return found->second->entry;
}

void MemberCache::put(std::string_view member, std::shared_ptr<const MemberEntry> entry) {
  if (capacity_ == 0) return;
  Shard& place = shard(member);
  const std::lock_guard lock(place.mutex);
  const auto found = place.places.find(member);
  if (found != place.places.end()) {
    const MemberEntry& kept = *found->second->entry;
    if (kept.model == entry->model && kept.sequence > entry->sequence) return;
    found->second->entry = std::move(entry);
    place.items.splice(place.items.begin(), place.items, found->second);
    return;
  }
  place.items.push_front({std::string(member), std::move(entry)});
  place.places.emplace(place.items.front().member, place.items.begin());
  if (place.items.size() > capacity_) {
    place.places.erase(place.items.back().member);
    place.items.pop_back();
  }
}

void MemberCache::forget(std::string_view member) {
  Shard& place = shard(member);
  const std::lock_guard lock(place.mutex);
  const auto found = place.places.find(member);
  if (found == place.places.end()) return;
  const auto item = found->second;
  place.places.erase(found);
  place.items.erase(item);
}

std::size_t MemberCache::size() const {
  std::size_t total = 0;
  for (const Shard& place : shards_) {
    const std::lock_guard lock(place.mutex);
    total += place.items.size();
  }
  return total;
}

}  // namespace limber
