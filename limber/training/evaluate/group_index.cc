#include "limber/training/evaluate/group_index.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "limber/core/base/error.h"

namespace limber {
namespace {

template <class Id>
std::vector<std::uint32_t> rows_by_id(std::span<const Id> ids) {
  if (ids.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error("groups: {} rows are more than 2^32", ids.size());
  }
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  // Logs are usually stored member by member; then there is nothing to sort.
  if (!std::is_sorted(ids.begin(), ids.end())) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return ids[a] < ids[b]; });
  }
  return order;
}

template <class Id>
void number_groups(std::span<const Id> ids, std::span<const std::uint32_t> order,
                   std::vector<std::size_t>& offsets, std::vector<std::uint32_t>& group_of_row) {
  offsets.assign(1, 0);
  group_of_row.resize(ids.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && ids[order[i]] != ids[order[i - 1]]) offsets.push_back(i);
    group_of_row[order[i]] = static_cast<std::uint32_t>(offsets.size() - 1);
  }
  if (!order.empty()) offsets.push_back(order.size());
}

}  // namespace

GroupIndex::GroupIndex(std::span<const std::int64_t> ids) : order_(rows_by_id(ids)) {
  number_groups(ids, order_, offsets_, group_of_row_);
}

GroupIndex::GroupIndex(std::span<const std::int32_t> ids) : order_(rows_by_id(ids)) {
  number_groups(ids, order_, offsets_, group_of_row_);
}

}  // namespace limber
