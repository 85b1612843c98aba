#include "limber/core/data/collisions.h"

#include <algorithm>
#include <array>

namespace limber {
namespace {

constexpr std::size_t kLeast = 1 << 16;

}  // namespace

void DistinctHashes::add(std::uint64_t hash) {
  hashes_.push_back(hash);
  if (hashes_.size() >= kLeast + 2 * sorted_) sort();
}

void DistinctHashes::sort() {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
  sorted_ = hashes_.size();
}

std::vector<std::uint64_t> DistinctHashes::take() {
  sort();
  sorted_ = 0;
  return std::move(hashes_);
}

Collisions count_collisions(const FeatureEncoder& encoder,
                            const std::vector<std::uint64_t>& hashes) {
  using Rows = std::array<std::int32_t, 4>;
  std::vector<Rows> all;
  all.reserve(hashes.size());
  std::vector<bool> used(static_cast<std::size_t>(encoder.table_rows()));
  std::vector<std::int32_t> rows;
  for (const std::uint64_t hash : hashes) {
    rows.clear();
    encoder.append_rows_of_hash(hash, rows);
    for (const std::int32_t row : rows) used[static_cast<std::size_t>(row)] = true;
    Rows& kept = all.emplace_back();
    std::copy(rows.begin(), rows.end(), kept.begin());
  }
  std::sort(all.begin(), all.end());
  Collisions found;
  found.values = static_cast<std::int64_t>(all.size());
  found.rows = std::count(used.begin(), used.end(), true);
  for (auto first = all.begin(); first != all.end();) {
    const auto last = std::upper_bound(first, all.end(), *first);
    if (last - first > 1) found.sharing += last - first;
    first = last;
  }
  return found;
}

}  // namespace limber
