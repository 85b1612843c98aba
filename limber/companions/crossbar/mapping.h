#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/companions/crossbar/counts.h"
#include "limber/companions/crossbar/weight.h"
#include "limber/core/config/compress_options.h"

namespace limber::crossbar {

/// One crossbar and what stands on it.
///
/// A digit of a weight takes two cells, on neighbouring bit lines of one crossbar, whose currents
/// are subtracted: a positive digit is on the first, a negative one on the second, and the other
/// cell is at the lowest conductance.
struct PlacedCrossbar {
  /// The inputs on its word lines; the others of the layer are zero in every one of its columns.
  std::vector<std::int32_t> inputs;
  /// Its pairs of bit lines: pair = output * slices + slice, slice 0 being the lowest bits.
  std::vector<std::int32_t> pairs;
};

struct LayerMapping {
  CrossbarWeight weight;
  /// Cells that one weight's size is spread over; slices of one output may stand on different
  /// crossbars, since they are shifted and added after conversion.
  std::int64_t slices = 1;
  std::vector<PlacedCrossbar> crossbars;
  CrossbarCounts counts;
};

struct CrossbarMapping {
  CrossbarOptions options;
  std::vector<LayerMapping> layers;
  CrossbarCounts total;
};

/// Lays one weight out on crossbars of options.rows x options.columns cells of options.cell_bits.
///
/// Inputs whose weights are all zero get no word line, and among the inputs that share word lines a
/// pair of bit lines whose digits are all zero is left out; what remains is packed (see
/// group_word_lines), and an all-zero weight takes no crossbar. Inputs keep their order. Neither
/// crossbars nor bit lines depend on the order of outputs; on that of inputs they do, unless the
/// zeros make whole lines. With an odd number of columns the last one stays free.
/// Throws Error where `weight` is not what CrossbarWeight says.
LayerMapping map_weight(CrossbarWeight weight, const CrossbarOptions& options);

/// Every weight on crossbars of its own, as layers work at the same time.
CrossbarMapping map_network(std::vector<CrossbarWeight> weights, const CrossbarOptions& options);

/// A layer before compression, of which the values do not matter.
struct DenseLayer {
  std::string name;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::int64_t uses = 1;
};

/// What `layer` takes where no weight and no digit is zero, each of `bits` bits:
/// ceil(inputs / rows) * ceil(outputs * slices / floor(columns / 2)) crossbars.
CrossbarCounts dense_counts(const DenseLayer& layer, std::int64_t bits,
                            const CrossbarOptions& options);

}  // namespace limber::crossbar
