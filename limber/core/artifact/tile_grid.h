#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace limber {

/// Part of a matrix: its first row and column, and how many of each.
struct Tile {
  std::int64_t row, column, rows, columns;
};

/// A matrix cut into tiles, numbered row by row; those at the lower and the right edge may be
/// smaller. Tiles of 0 x 0 mean that the whole matrix is one.
struct TileGrid {
  std::int64_t rows = 0, columns = 0, tile_rows = 0, tile_columns = 0;

  bool is_dense() const { return tile_rows == 0 && tile_columns == 0; }
  /// Whether there is a matrix, and tiles that are no larger.
  bool is_valid() const {
    if (rows <= 0 || columns <= 0) return false;
    return is_dense() ||
           (tile_rows > 0 && tile_rows <= rows && tile_columns > 0 && tile_columns <= columns);
  }
  std::int64_t count() const { return is_dense() ? 1 : down() * across(); }
  Tile tile(std::int64_t index) const {
    if (is_dense()) return {0, 0, rows, columns};
    const std::int64_t row = index / across() * tile_rows, column = index % across() * tile_columns;
    return {row, column, std::min(tile_rows, rows - row), std::min(tile_columns, columns - column)};
  }

 private:
  // Written so that no sum overflows, however large the sizes are.
  std::int64_t down() const { return (rows - 1) / tile_rows + 1; }
  std::int64_t across() const { return (columns - 1) / tile_columns + 1; }
};

/// Bits in words, from the lowest one on.
class BitView {
 public:
  explicit BitView(std::span<const std::int32_t> words) : words_(words) {}

  bool at(std::int64_t i) const {
    return (static_cast<std::uint32_t>(words_[static_cast<std::size_t>(i / 32)]) >> i % 32 & 1U) !=
           0;
  }
  /// Whether the words are as many as `bits` bits need, and what is left of the last one is 0.
  bool holds_just(std::int64_t bits) const {
    const auto words = static_cast<std::int64_t>(words_.size());
    if (words != (bits / 32) + (bits % 32 != 0 ? 1 : 0)) return false;
    for (std::int64_t i = bits; i < 32 * words; ++i) {
      if (at(i)) return false;
    }
    return true;
  }

 private:
  std::span<const std::int32_t> words_;
};

class BitMap {
 public:
  void push_back(bool bit) {
    if (size_ % 32 == 0) words_.push_back(0);
    if (bit) {
      words_.back() =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(words_.back()) | 1U << size_ % 32);
    }
    ++size_;
  }
  const std::vector<std::int32_t>& words() const { return words_; }
  BitView view() const { return BitView(words_); }
  std::int64_t bytes() const { return 4 * static_cast<std::int64_t>(words_.size()); }

 private:
  std::vector<std::int32_t> words_;
  std::int64_t size_ = 0;
};

/// Calls visit(row, column) for each number that is stored, tile by tile, row by row. `tiles` has a
/// bit for each tile, or null: all are stored. `lines` has, for each stored tile, a bit for each of
/// its rows, then one for each of its columns, or null: all are stored.
template <class Visit>
void visit_stored(const TileGrid& grid, const BitView* tiles, const BitView* lines, Visit visit) {
  std::int64_t line = 0;
  std::vector<std::int64_t> columns;
  for (std::int64_t t = 0; t < grid.count(); ++t) {
    if (tiles != nullptr && !tiles->at(t)) continue;
    const Tile tile = grid.tile(t);
    columns.clear();
    for (std::int64_t j = 0; j < tile.columns; ++j) {
      if (lines == nullptr || lines->at(line + tile.rows + j)) columns.push_back(tile.column + j);
    }
    for (std::int64_t i = 0; i < tile.rows; ++i) {
      if (lines != nullptr && !lines->at(line + i)) continue;
      for (const std::int64_t column : columns) visit(tile.row + i, column);
    }
    line += tile.rows + tile.columns;
  }
}

}  // namespace limber
