#include "limber/core/artifact/packed_weight.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "limber/core/artifact/tile_grid.h"
#include "limber/core/base/error.h"

namespace limber {
namespace {

/// One way to leave zeros out.
struct Layout {
  TileGrid grid;
  BitMap tiles, lines;
  bool has_lines = false;
  std::int64_t stored = 0;  ///< numbers

  /// Calls visit(row, column) for each of them, in their order.
  template <class Visit>
  void visit(Visit visit) const {
    const BitView tile_bits = tiles.view(), line_bits = lines.view();
    visit_stored(grid, grid.is_dense() ? nullptr : &tile_bits, has_lines ? &line_bits : nullptr,
                 visit);
  }
  /// All that is written where a number takes `bits`.
  std::int64_t bytes(std::int64_t bits) const {
    return tiles.bytes() + lines.bytes() + (bits * stored + 7) / 8;
  }
};

Layout make_layout(std::span<const float> values, const TileGrid& grid, bool has_lines) {
  Layout layout{grid, {}, {}, has_lines, 0};
  for (std::int64_t t = 0; !grid.is_dense() && t < grid.count(); ++t) {
    const Tile tile = grid.tile(t);
    std::vector<bool> rows(static_cast<std::size_t>(tile.rows));
    std::vector<bool> columns(static_cast<std::size_t>(tile.columns));
    bool any = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<std::size_t>(tile.row) + i;
      const auto first =
          row * static_cast<std::size_t>(grid.columns) + static_cast<std::size_t>(tile.column);
      for (std::size_t j = 0; j < columns.size(); ++j) {
        if (values[first + j] != 0) any = rows[i] = columns[j] = true;
      }
    }
    layout.tiles.push_back(any);
    if (!any || !has_lines) continue;
    for (const bool row : rows) layout.lines.push_back(row);
    for (const bool column : columns) layout.lines.push_back(column);
  }
  layout.visit([&](std::int64_t, std::int64_t) { ++layout.stored; });
  return layout;
}

/// The cheapest layout of those that may be unpacked again.
Layout best_layout(std::span<const float> values, TileGrid grid, std::int64_t bits,
                   const PackOptions& options) {
  Layout best = make_layout(values, grid, false);
  const auto consider = [&] {
    bool allowed = false;
    for (const bool has_lines : {false, true}) {
      Layout other = make_layout(values, grid, has_lines);
      const std::int64_t bytes = other.bytes(bits);
      if (4 * static_cast<std::int64_t>(values.size()) > kMostExpansion * bytes) continue;
      allowed = true;
      if (bytes < best.bytes(bits)) best = std::move(other);
    }
    return allowed;
  };
  if (options.tile_rows <= 0 || options.tile_columns <= 0) return best;
  grid.tile_rows = std::min(options.tile_rows, grid.rows);
  grid.tile_columns = std::min(options.tile_columns, grid.columns);
  // Finer tiles where so little is left that coarse ones would ask for too much from too few bytes.
  while (!consider() && grid.tile_rows * grid.tile_columns > 1) {
    grid.tile_rows = (grid.tile_rows + 1) / 2;
    grid.tile_columns = (grid.tile_columns + 1) / 2;
  }
  return best;
}

std::int8_t code_of(const std::string& name, float value, const PackOptions& options) {
  const double code = std::round(double{value} / options.scale);
  const double most = std::ldexp(1.0, static_cast<int>(options.bits) - 1);
  // Whoever rounded to a level in another order of operations is off by a float's rounding.
  const bool on_level = std::abs(code * options.scale - value) <= 1e-5 * std::abs(value);
  if (!(std::abs(code) <= most) || code == most || !on_level) {
    throw Error("{}: {} is no multiple of {} in {} bits", name, value, options.scale, options.bits);
  }
  return static_cast<std::int8_t>(code);
}

/// Two codes a byte, the lower half first.
std::vector<std::uint8_t> in_pairs(const std::vector<std::int8_t>& codes) {
  std::vector<std::uint8_t> pairs((codes.size() + 1) / 2);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const unsigned half = static_cast<unsigned>(codes[i]) & 15U;
    pairs[i / 2] = static_cast<std::uint8_t>(pairs[i / 2] | half << i % 2 * 4);
  }
  return pairs;
}

template <class T>
void add_list(OwnedTensors& tensors, const std::string& name, const std::vector<T>& list) {
  tensors.add(name, {static_cast<std::int64_t>(list.size())}, list);
}

}  // namespace

OwnedTensors pack_weight(const std::string& name, std::span<const float> values,
                         const std::vector<std::int64_t>& shape, const PackOptions& options) {
  if (count_elements(shape) != static_cast<std::int64_t>(values.size())) {
    throw Error("{}: {} numbers do not fill [{}]", name, values.size(), fmt::join(shape, ", "));
  }
  const bool has_codes = options.bits != 0;
  if (options.bits < 0 || options.bits > 8 || (has_codes && !(options.scale > 0))) {
    throw Error("{}: codes of {} bits with the scale {}", name, options.bits, options.scale);
  }
  const auto number = [&](float value) {
    return has_codes ? options.scale * static_cast<float>(code_of(name, value, options)) : value;
  };
  OwnedTensors plain;
  std::vector<float> all;
  for (const float value : values) all.push_back(number(value));
  plain.add(name, shape, all);
  if (shape.empty() || values.empty()) return plain;

  const std::int64_t bits = !has_codes ? 32 : options.bits > 4 ? 8 : 4;
  const auto columns = static_cast<std::int64_t>(values.size()) / shape[0];
  const Layout layout = best_layout(values, {shape[0], columns, 0, 0}, bits, options);
  OwnedTensors packed;
  std::vector<std::int64_t> head = {bits, layout.grid.tile_rows, layout.grid.tile_columns};
  head.insert(head.end(), shape.begin(), shape.end());
  add_list(packed, name + std::string(kPackedEnding), head);
  if (!layout.grid.is_dense()) add_list(packed, name + ".tiles", layout.tiles.words());
  if (layout.has_lines) add_list(packed, name + ".lines", layout.lines.words());
  std::vector<float> kept;
  layout.visit([&](std::int64_t row, std::int64_t column) {
    kept.push_back(values[static_cast<std::size_t>(row * columns + column)]);
  });
  if (has_codes) {
    std::vector<std::int8_t> codes;
    for (const float value : kept) codes.push_back(code_of(name, value, options));
    if (bits == 8) {
      add_list(packed, name + ".codes", codes);
    } else {
      add_list(packed, name + ".codes", in_pairs(codes));
    }
    add_list(packed, name + ".scale", std::vector<float>{options.scale});
  } else {
    add_list(packed, name + ".values", kept);
  }
  return packed.bytes() < plain.bytes() ? std::move(packed) : std::move(plain);
}

}  // namespace limber
