#pragma once

#include <cstdint>
#include <vector>

#include "limber/core/data/encoder.h"

namespace limber {

/// Which process holds which rows of one embedding table. A small table lies whole with one of
/// them; of a large one each holds every n-th row, so that rows of frequent ids, which tend to have
/// low indices, are spread.
struct TablePlacement {
  std::int64_t rows = 0;   ///< of the whole table
  std::int64_t ranks = 1;  ///< how many processes there are
  std::int64_t start = 0;  ///< who holds row 0
  bool whole = true;       ///< and with it all others

  std::int64_t owner(std::int64_t row) const { return whole ? start : (start + row) % ranks; }
  /// Where its owner keeps it.
  std::int64_t place(std::int64_t row) const { return whole ? row : row / ranks; }
  /// The rows of a process are first(rank), first(rank) + stride(), ...; held(rank) of them.
  std::int64_t first(std::int64_t rank) const { return whole ? 0 : (rank - start + ranks) % ranks; }
  std::int64_t stride() const { return whole ? 1 : ranks; }
  std::int64_t held(std::int64_t rank) const {
    if (whole) return rank == start ? rows : 0;
    return (rows - first(rank) + ranks - 1) / ranks;
  }
};

/// Tables of fewer rows lie whole: what they hold does not matter, and sending all ids of one to
/// one place does not either.
inline constexpr std::int64_t kWholeTableRows = 1024;

/// By table.
std::vector<TablePlacement> place_tables(const std::vector<EmbeddingTableShape>& shapes,
                                         std::int64_t ranks,
                                         std::int64_t whole_below = kWholeTableRows);

}  // namespace limber
