#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "limber/training/compress/budget.h"
#include "limber/training/compress/compress_checkpoint.h"
#include "limber/training/train/training_log.h"

namespace limber {

/// Finds the smallest share of groups under which the validation metric falls by no more than
/// compress.target_loss, by bisection over the logarithm of how many times fewer weights are left.
///
/// A trial is not the whole compression but what it is at least worth: magnitude pruning (and
/// rounding) of the given weights, and one pass of retraining under the mask. Six trials find the
/// ratio to within a sixty-fourth of its range on that scale. It is taken for granted that more
/// pruning costs more quality. Where the whole compression then does better than the trials, it has
/// done better than what was asked for; where it does worse, compress_network() says so.
class TargetSearch {
 public:
  static constexpr std::int64_t kTrials = 6;

  struct State {
    std::int64_t trials = 0;    ///< done
    double low = 0, high = -1;  ///< logarithms: of a ratio that is fine, of one that is not tried
  };

  TargetSearch(CompressibleNetwork& network, const std::vector<CompressibleWeight>& weights,
               const Budget& budget, const CompressOptions& options,
               const CompressibleNetwork::Quality& before, State state);

  /// Runs the trials that are left, each logged, then `reached` with the network as it was given.
  /// `step` counts the steps of training. False: a signal asked to stop. The network is as it was
  /// given after that, too.
  bool run(std::int64_t& step, TrainingLog& log, const std::function<void(const State&)>& reached);

  /// What it found.
  double share() const;

 private:
  CompressibleNetwork& network_;
  const std::vector<CompressibleWeight>& weights_;
  const Budget& budget_;
  const CompressOptions& options_;
  CompressibleNetwork::Quality before_;
  State state_;
};

}  // namespace limber
