#include "limber/serving/runtime/sparse_matrix.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

/// Rows of a panel in a slice on average: they stay in the first-level cache while rows of A pass
/// by, and are enough to outweigh reading and writing C in between.
constexpr double kSliceRows = 320;
/// Columns of A in a slice at most, which stay in the second-level cache meanwhile.
constexpr std::int64_t kMostSlice = 1280;

bool is_zero(const float* values, std::int64_t row, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t k = 0; k < rows; ++k) {
    for (std::int64_t j = 0; j < columns; ++j) {
      if (values[k * row + j] != 0) return false;
    }
  }
  return true;
}

/// Which groups of kKeptRun rows are kept in which panel.
struct Kept {
  std::int64_t groups, panels, rows = 0;
  std::vector<bool> bits;  ///< [groups, panels]

  Kept(const float* values, std::int64_t inner, std::int64_t columns, std::int64_t row)
      : groups((inner + kKeptRun - 1) / kKeptRun),
        panels((columns + panel_width() - 1) / panel_width()) {
    const std::int64_t panel = panel_width();
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t height = std::min(kKeptRun, inner - g * kKeptRun);
      for (std::int64_t p = 0; p < panels; ++p) {
        const float* first = values + g * kKeptRun * row + p * panel;
        bits.push_back(!is_zero(first, row, height, std::min(panel, columns - p * panel)));
        if (bits.back()) rows += height;
      }
    }
  }
  bool at(std::int64_t group, std::int64_t p) const {
    return bits[static_cast<std::size_t>(group * panels + p)];
  }
};

double share(std::int64_t rows, std::int64_t inner, std::int64_t panels) {
  const std::int64_t all = inner * panels;
  return all == 0 ? 1 : static_cast<double>(rows) / static_cast<double>(all);
}

}  // namespace

SparseMatrix::SparseMatrix(const float* values, std::int64_t inner, std::int64_t columns,
                           std::int64_t row)
    : inner_(inner), columns_(columns) {
  const Kept kept(values, inner, columns, row);
  const std::int64_t panel = panel_width(), panels = kept.panels, groups = kept.groups;
  stored_rows_ = kept.rows;
  const double density = share(kept.rows, inner, panels);
  const double most =
      std::clamp(kSliceRows / std::max(density, 1e-9), kSliceRows, static_cast<double>(kMostSlice));
  const auto slices =
      std::max<std::int64_t>(1, std::llround(std::ceil(static_cast<double>(inner) / most)));
  values_ = AlignedFloats(stored_rows_ * panel);
  first_run_.push_back(0);
  std::int64_t stored = 0;
  for (std::int64_t s = 0; s < slices; ++s) {
    const std::int64_t begin = groups * s / slices, end = groups * (s + 1) / slices;
    for (std::int64_t p = 0; p < panels; ++p) {
      first_row_.push_back(stored);
      bool is_open = false;
      for (std::int64_t g = begin; g < end; ++g) {
        const bool keeps = kept.at(g, p);
        if (keeps && !is_open) runs_.push_back({static_cast<std::int32_t>(g * kKeptRun), 0});
        is_open = keeps;
        if (!keeps) continue;
        const std::int64_t height = std::min(kKeptRun, inner - g * kKeptRun);
        runs_.back().count += static_cast<std::int32_t>(height);
        for (std::int64_t k = 0; k < height; ++k, ++stored) {
          std::copy_n(values + (g * kKeptRun + k) * row + p * panel,
                      std::min(panel, columns - p * panel), values_.data() + stored * panel);
        }
      }
      first_run_.push_back(static_cast<std::int32_t>(runs_.size()));
    }
  }
  kept_.slices = slices;
  kept_.panels = panels;
  kept_.runs = runs_.data();
  kept_.first_run = first_run_.data();
  kept_.first_row = first_row_.data();
}

SparseMatrix SparseMatrix::where_faster(const float* values, std::int64_t inner,
                                        std::int64_t columns, std::int64_t row) {
  const Kept kept(values, inner, columns, row);
  if (share(kept.rows, inner, kept.panels) > kMostDensity) return {};
  return {values, inner, columns, row};
}

double SparseMatrix::density() const {
  return share(stored_rows_, inner_, kept_.panels);
}

Product SparseMatrix::product(const float* a, std::int64_t a_row, std::int64_t rows) const {
  Product product;
  product.rows = rows;
  product.inner = inner_;
  product.columns = columns_;
  product.a = a;
  product.a_row = a_row;
  product.b = values_.data();
  product.b_row = panel_width();
  product.kept = &kept_;
  return product;
}

}  // namespace limber
