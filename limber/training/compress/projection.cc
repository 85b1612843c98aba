#include "limber/training/compress/projection.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace limber {
namespace {

using torch::Tensor;

/// `matrix` may be a transposed view, on any device.
Tensor plain(const Tensor& matrix) {
  return matrix.detach().to(torch::kCPU, torch::kDouble).contiguous().view(-1);
}

}  // namespace

PruningGroups::PruningGroups(const std::string& structure, const Sizes& block, std::int64_t inputs,
                             std::int64_t outputs)
    : inputs_(inputs), outputs_(outputs) {
  const bool units = structure == "units";
  const std::int64_t tile_rows = units ? inputs : std::min(block[0], inputs);
  const std::int64_t tile_columns = units ? outputs : std::min(block[1], outputs);
  group_of_ = torch::empty({inputs * outputs}, torch::kLong);
  std::int64_t* group_of = group_of_.mutable_data_ptr<std::int64_t>();
  pool_starts_.push_back(0);
  for (std::int64_t top = 0; top < inputs; top += tile_rows) {
    for (std::int64_t left = 0; left < outputs; left += tile_columns) {
      const std::int64_t bottom = std::min(top + tile_rows, inputs);
      const std::int64_t right = std::min(left + tile_columns, outputs);
      for (std::int64_t row = top; row < bottom; ++row) {
        for (std::int64_t column = left; column < right; ++column) {
          const std::int64_t line = structure == "blocks" ? 0
                                    : structure == "rows" ? row - top
                                                          : column - left;
          group_of[row * outputs + column] = groups_ + line;
        }
      }
      groups_ += structure == "blocks" ? 1 : structure == "rows" ? bottom - top : right - left;
      if (structure != "blocks") pool_starts_.push_back(groups_);
    }
  }
  if (structure == "blocks") pool_starts_.push_back(groups_);
  sizes_.assign(static_cast<std::size_t>(groups_), 0);
  for (std::int64_t i = 0; i < inputs * outputs; ++i) {
    ++sizes_[static_cast<std::size_t>(group_of[i])];
  }
}

std::int64_t PruningGroups::keep_of_pool(std::int64_t pool, double share) const {
  const auto at = static_cast<std::size_t>(pool);
  const std::int64_t size = pool_starts_[at + 1] - pool_starts_[at];
  const auto nearest = static_cast<std::int64_t>(std::llround(share * static_cast<double>(size)));
  return std::clamp<std::int64_t>(nearest, 1, size);
}

std::int64_t PruningGroups::kept_groups(double share) const {
  std::int64_t kept = 0;
  for (std::size_t pool = 0; pool + 1 < pool_starts_.size(); ++pool) {
    kept += keep_of_pool(static_cast<std::int64_t>(pool), share);
  }
  return kept;
}

std::int64_t PruningGroups::kept_elements(double share) const {
  std::int64_t kept = 0;
  for (std::size_t pool = 0; pool + 1 < pool_starts_.size(); ++pool) {
    std::vector<std::int64_t> sizes(sizes_.begin() + pool_starts_[pool],
                                    sizes_.begin() + pool_starts_[pool + 1]);
    std::sort(sizes.begin(), sizes.end(), std::greater<>());
    const std::int64_t count = keep_of_pool(static_cast<std::int64_t>(pool), share);
    kept += std::accumulate(sizes.begin(), sizes.begin() + count, std::int64_t{0});
  }
  return kept;
}

Tensor PruningGroups::project(const Tensor& matrix, double share) const {
  const Tensor squares = torch::zeros({groups_}, torch::kDouble);
  squares.index_add_(0, group_of_, plain(matrix).square());
  const double* norms = squares.const_data_ptr<double>();
  Tensor kept = torch::zeros({groups_}, torch::kBool);
  bool* keeps = kept.mutable_data_ptr<bool>();
  for (std::size_t pool = 0; pool + 1 < pool_starts_.size(); ++pool) {
    std::vector<std::int64_t> order(
        static_cast<std::size_t>(pool_starts_[pool + 1] - pool_starts_[pool]));
    std::iota(order.begin(), order.end(), pool_starts_[pool]);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return norms[a] > norms[b]; });
    const std::int64_t count = keep_of_pool(static_cast<std::int64_t>(pool), share);
    for (std::int64_t i = 0; i < count; ++i) keeps[order[static_cast<std::size_t>(i)]] = true;
  }
  return kept.index_select(0, group_of_).view({inputs_, outputs_});
}

std::int64_t PruningGroups::count_kept(const Tensor& mask) const {
  const Tensor elements = torch::zeros({groups_}, torch::kDouble);
  elements.index_add_(0, group_of_, plain(mask));
  return (elements > 0).sum().item<std::int64_t>();
}

}  // namespace limber
