#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limber::crossbar {

/// Which pairs of bit lines each input of a layer needs: where one of its digits is not zero.
struct LinePattern {
  std::size_t inputs = 0;
  /// 64-bit words of one input.
  std::size_t words = 0;
  /// [inputs, words]; bit b of word w is pair 64 w + b.
  std::vector<std::uint64_t> bits;
};

/// Divides the inputs, in their order, into runs of at most `rows` that each stand on the word
/// lines of crossbars of their own: [begin, end) of each run. A run needs the pairs that any of its
/// inputs needs, `pairs_per_crossbar` of them on a crossbar.
///
/// The division has the fewest crossbars of all, and among those the fewest pairs, so zeroing
/// a weight never costs a crossbar. Cutting every `rows` inputs would not do: once a line is left
/// out the cuts move, and may move through the blocks that pruning left whole. Limber's choice.
std::vector<std::pair<std::size_t, std::size_t>> group_word_lines(const LinePattern& pattern,
                                                                  std::size_t rows,
                                                                  std::size_t pairs_per_crossbar);

}  // namespace limber::crossbar
