#pragma once

#include <cstdint>
#include <vector>

#include "limber/core/data/task_batch.h"

namespace limber {

/// Every training row once, as a query row of a member that is known by what it did before: a
/// member is adapted anew whenever a quarter has been added to what it is known by, to its latest
/// `support` rows then. What a server would have seen, row by row, at a few times the cost of the
/// rows alone. (Without time, "before" is in the data set's seeded order.)
class ReplaySampler : public EpisodeSampler {
 public:
  struct Options {
    std::int64_t support = 100;          ///< most rows that a member is known by
    std::int64_t rows_per_batch = 8192;  ///< support and query rows, about
  };
  ReplaySampler(const Dataset& dataset, Options options);
  std::int64_t batches() const override { return static_cast<std::int64_t>(starts_.size()) - 1; }
  EpisodePlan plan(std::int64_t i) const override;

 private:
  /// Rows of one task that are asked of the same adapted member.
  struct Block {
    std::int64_t task, support_begin, begin, end;
  };

  std::vector<Block> blocks_;
  std::vector<std::size_t> starts_ = {0};  ///< of the batches, in blocks
};

}  // namespace limber
