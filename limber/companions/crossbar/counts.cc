#include "limber/companions/crossbar/counts.h"

#include "limber/companions/crossbar/cost_constants.h"

namespace limber::crossbar {

CrossbarCounts& CrossbarCounts::operator+=(const CrossbarCounts& other) {
  weights += other.weights;
  kept += other.kept;
  nonzero += other.nonzero;
  crossbars += other.crossbars;
  cells += other.cells;
  used_cells += other.used_cells;
  drivers += other.drivers;
  bit_lines += other.bit_lines;
  converters += other.converters;
  invocations += other.invocations;
  conversions += other.conversions;
  driven_lines += other.driven_lines;
  read_cells += other.read_cells;
  return *this;
}

void CrossbarCounts::add_crossbars(std::int64_t count, std::int64_t size, std::int64_t used_rows,
                                   std::int64_t used_columns, std::int64_t uses) {
  crossbars += count;
  cells += count * size;
  used_cells += count * used_rows * used_columns;
  drivers += count * used_rows;
  bit_lines += count * used_columns;
  converters += count * ((used_columns + kBitLinesPerConverter - 1) / kBitLinesPerConverter);
  invocations += count * uses;
  conversions += count * used_columns * uses;
  driven_lines += count * used_rows * uses;
  read_cells += count * used_rows * used_columns * uses;
}

}  // namespace limber::crossbar
