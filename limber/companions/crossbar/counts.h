#pragma once

#include <cstdint>

namespace limber::crossbar {

/// What a layer, or a network, takes on crossbars.
struct CrossbarCounts {
  std::int64_t weights = 0;  ///< inputs * outputs
  std::int64_t kept = 0;     ///< of them, not pruned
  std::int64_t nonzero = 0;  ///< of them, not zero
  std::int64_t crossbars = 0;
  std::int64_t cells = 0;       ///< rows * columns of every crossbar
  std::int64_t used_cells = 0;  ///< at the crossing of a word line and a bit line in use
  std::int64_t drivers = 0;     ///< word lines in use, each with its digital-to-analogue converter
  std::int64_t bit_lines = 0;   ///< bit lines in use, each with its sample-and-hold
  std::int64_t converters = 0;  ///< analogue-to-digital converters, each for up to 128 bit lines

  /// Of one inference, for each bit of the inputs, which are applied bit after bit.
  std::int64_t invocations = 0;   ///< matrix-vector products of single crossbars
  std::int64_t conversions = 0;   ///< bit lines read
  std::int64_t driven_lines = 0;  ///< word lines driven
  std::int64_t read_cells = 0;    ///< cells that current flows through

  CrossbarCounts& operator+=(const CrossbarCounts& other);
  friend bool operator==(const CrossbarCounts&, const CrossbarCounts&) = default;

  /// Adds `count` crossbars of `size` cells with so many lines in use.
  void add_crossbars(std::int64_t count, std::int64_t size, std::int64_t used_rows,
                     std::int64_t used_columns, std::int64_t uses);
};

}  // namespace limber::crossbar
