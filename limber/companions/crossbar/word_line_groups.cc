#include "limber/companions/crossbar/word_line_groups.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace limber::crossbar {
namespace {

/// Crossbars, then pairs: compared in this order.
using Cost = std::pair<std::size_t, std::size_t>;

class Union {
 public:
  explicit Union(std::size_t words) : bits_(words) {}

  void clear() {
    std::fill(bits_.begin(), bits_.end(), 0);
    count_ = 0;
  }
  /// Pairs that `row` would add.
  std::size_t added_by(const std::uint64_t* row) const {
    std::size_t added = 0;
    for (std::size_t w = 0; w < bits_.size(); ++w) {
      added += static_cast<std::size_t>(std::popcount(row[w] & ~bits_[w]));
    }
    return added;
  }
  void add(const std::uint64_t* row, std::size_t added) {
    for (std::size_t w = 0; w < bits_.size(); ++w) bits_[w] |= row[w];
    count_ += added;
  }
  std::size_t count() const { return count_; }

 private:
  std::vector<std::uint64_t> bits_;
  std::size_t count_ = 0;
};

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> group_word_lines(const LinePattern& pattern,
                                                                  std::size_t rows,
                                                                  std::size_t pairs_per_crossbar) {
  const std::size_t inputs = pattern.inputs;
  const auto row = [&](std::size_t input) { return pattern.bits.data() + input * pattern.words; };
  Union all(pattern.words);
  for (std::size_t i = 0; i < inputs; ++i) all.add(row(i), all.added_by(row(i)));

  // best[i]: of the inputs from i on. It does not grow with i, so of all ends that leave a run's
  // pairs the same the last one is best, and the search may jump once a run needs every pair.
  std::vector<Cost> best(inputs + 1, {0, 0});
  std::vector<std::size_t> end_of(inputs, 0);
  Union run(pattern.words);
  for (std::size_t i = inputs; i-- > 0;) {
    run.clear();
    best[i].first = std::numeric_limits<std::size_t>::max();
    const std::size_t last = std::min(inputs, i + rows);
    const auto consider = [&](std::size_t end) {
      const std::size_t pairs = run.count();
      const Cost cost = {best[end].first + (pairs + pairs_per_crossbar - 1) / pairs_per_crossbar,
                         best[end].second + pairs};
      if (cost <= best[i]) {
        best[i] = cost;
        end_of[i] = end;
      }
    };
    for (std::size_t j = i; j < last && run.count() < all.count(); ++j) {
      const std::size_t added = run.added_by(row(j));
      if (added == 0) continue;
      if (j > i) consider(j);
      run.add(row(j), added);
    }
    consider(last);
  }

  std::vector<std::pair<std::size_t, std::size_t>> runs;
  for (std::size_t i = 0; i < inputs; i = end_of[i]) runs.emplace_back(i, end_of[i]);
  return runs;
}

}  // namespace limber::crossbar
