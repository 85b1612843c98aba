#include "limber/companions/crossbar/mapping.h"

#include <algorithm>

#include "limber/companions/crossbar/word_line_groups.h"
#include "limber/core/base/error.h"

namespace limber::crossbar {
namespace {

void check_size(const CrossbarOptions& options) {
  if (options.rows < 1 || options.columns < 2) {
    throw Error("crossbars of {} rows and {} columns", options.rows, options.columns);
  }
}

bool is_set(const std::uint64_t* row, std::size_t pair) {
  return (row[pair / 64] >> (pair % 64) & 1) != 0;
}

/// The inputs that are not zero, and the pairs that each of them needs.
LinePattern pattern_of(const LayerMapping& layer, std::int64_t cell_bits,
                       std::vector<std::int32_t>& inputs) {
  const CrossbarWeight& weight = layer.weight;
  const auto outputs = static_cast<std::size_t>(weight.outputs);
  const auto slices = static_cast<std::size_t>(layer.slices);
  LinePattern pattern;
  pattern.words = (outputs * slices + 63) / 64;
  std::vector<std::uint64_t> row(pattern.words);
  for (std::size_t i = 0; i < static_cast<std::size_t>(weight.inputs); ++i) {
    std::fill(row.begin(), row.end(), 0);
    for (std::size_t o = 0; o < outputs; ++o) {
      const std::int32_t code = weight.codes[i * outputs + o];
      for (std::size_t slice = 0; code != 0 && slice < slices; ++slice) {
        if (digit_of(code, static_cast<std::int64_t>(slice), cell_bits) == 0) continue;
        const std::size_t pair = o * slices + slice;
        row[pair / 64] |= std::uint64_t{1} << (pair % 64);
      }
    }
    if (std::all_of(row.begin(), row.end(), [](std::uint64_t word) { return word == 0; })) continue;
    inputs.push_back(static_cast<std::int32_t>(i));
    pattern.bits.insert(pattern.bits.end(), row.begin(), row.end());
  }
  pattern.inputs = inputs.size();
  return pattern;
}

}  // namespace

LayerMapping map_weight(CrossbarWeight weight, const CrossbarOptions& options) {
  check_size(options);
  check_weight(weight);
  LayerMapping layer;
  layer.slices = slices_of(weight.bits, options.cell_bits);
  layer.weight = std::move(weight);
  const auto pair_count = static_cast<std::size_t>(layer.weight.outputs * layer.slices);
  const auto pairs_per_crossbar = static_cast<std::size_t>(options.columns / 2);

  std::vector<std::int32_t> inputs;
  const LinePattern pattern = pattern_of(layer, options.cell_bits, inputs);
  layer.counts.weights = layer.weight.inputs * layer.weight.outputs;
  layer.counts.nonzero =
      layer.counts.weights -
      std::count(layer.weight.codes.begin(), layer.weight.codes.end(), std::int32_t{0});
  layer.counts.kept = layer.weight.kept >= 0 ? layer.weight.kept : layer.counts.nonzero;

  const auto row = [&](std::size_t at) { return pattern.bits.data() + at * pattern.words; };
  for (const auto& [begin, end] :
       group_word_lines(pattern, static_cast<std::size_t>(options.rows), pairs_per_crossbar)) {
    std::vector<std::size_t> needed;
    for (std::size_t pair = 0; pair < pair_count; ++pair) {
      bool used = false;
      for (std::size_t i = begin; i < end && !used; ++i) used = is_set(row(i), pair);
      if (used) needed.push_back(pair);
    }
    for (std::size_t first = 0; first < needed.size(); first += pairs_per_crossbar) {
      const std::size_t last = std::min(needed.size(), first + pairs_per_crossbar);
      PlacedCrossbar crossbar;
      for (std::size_t p = first; p < last; ++p) {
        crossbar.pairs.push_back(static_cast<std::int32_t>(needed[p]));
      }
      for (std::size_t i = begin; i < end; ++i) {
        bool used = false;
        for (std::size_t p = first; p < last && !used; ++p) used = is_set(row(i), needed[p]);
        if (used) crossbar.inputs.push_back(inputs[i]);
      }
      layer.counts.add_crossbars(
          1, options.rows * options.columns, static_cast<std::int64_t>(crossbar.inputs.size()),
          static_cast<std::int64_t>(2 * crossbar.pairs.size()), layer.weight.uses);
      layer.crossbars.push_back(std::move(crossbar));
    }
  }
  return layer;
}

CrossbarMapping map_network(std::vector<CrossbarWeight> weights, const CrossbarOptions& options) {
  CrossbarMapping mapping;
  mapping.options = options;
  for (CrossbarWeight& weight : weights) {
    mapping.layers.push_back(map_weight(std::move(weight), options));
    mapping.total += mapping.layers.back().counts;
  }
  return mapping;
}

CrossbarCounts dense_counts(const DenseLayer& layer, std::int64_t bits,
                            const CrossbarOptions& options) {
  check_size(options);
  CrossbarCounts counts;
  counts.weights = layer.inputs * layer.outputs;
  counts.kept = counts.nonzero = counts.weights;
  const std::int64_t pairs = layer.outputs * slices_of(bits, options.cell_bits);
  const std::int64_t pairs_per_crossbar = options.columns / 2;
  // Full crossbars, and the edges: fewer rows at the bottom, fewer pairs on the right.
  const auto add = [&](std::int64_t count, std::int64_t rows, std::int64_t width) {
    if (rows > 0 && width > 0) {
      counts.add_crossbars(count, options.rows * options.columns, rows, 2 * width, layer.uses);
    }
  };
  const std::int64_t down = layer.inputs / options.rows;
  const std::int64_t across = pairs / pairs_per_crossbar;
  const std::int64_t bottom = layer.inputs % options.rows;
  const std::int64_t right = pairs % pairs_per_crossbar;
  add(down * across, options.rows, pairs_per_crossbar);
  add(down, options.rows, right);
  add(across, bottom, pairs_per_crossbar);
  add(1, bottom, right);
  return counts;
}

}  // namespace limber::crossbar
