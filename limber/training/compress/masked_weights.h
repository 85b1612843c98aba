#pragma once

#include <string>
#include <utility>
#include <vector>

#include "limber/training/compress/admm.h"

namespace limber {

/// Weights after the projection: what was pruned is held at 0, and with bits every weight stands on
/// one of its levels whenever the network computes.
///
/// While they are trained on, rounded weights have a shadow in floats. A step's gradients are those
/// at the levels; the optimiser moves the shadow by them, and the weights become its nearest levels
/// (the straight-through estimator: Courbariaux et al. 2015, arXiv 1511.00363; Bengio et al. 2013,
/// arXiv 1308.3432). Freezing the codes would leave nothing but the biases to repair the damage;
/// so a code changes where many small steps agree on it. Scales are fitted anew at the start of
/// each pass.
class MaskedWeights {
 public:
  /// Projects the weights where they are. `targets` must outlive it. With `units`, rows and columns
  /// of the targets that read a pruned unit are cleared, too, which changes nothing that the
  /// network says.
  MaskedWeights(std::vector<CompressionTarget>& targets, bool units);

  /// To be called at the start of a pass, and around each step of the optimiser.
  void begin_pass();
  void before_step();
  void after_step();

  /// Of a target: what stays [inputs, outputs], bool; undefined where all does.
  const torch::Tensor& mask(std::size_t target) const { return masks_[target].matrix; }
  /// Under `units`: outputs that stay, ascending.
  const std::vector<std::int64_t>& kept_units(std::size_t target) const {
    return masks_[target].kept_units;
  }
  float scale(std::size_t target) const;

  /// Everything that a checkpoint must hold; restored() is to be called once it has been filled.
  std::vector<std::pair<std::string, torch::Tensor>> state();
  void restored();

 private:
  struct Mask {
    torch::Tensor matrix, bias;  ///< bool; bias [outputs] of pruned units alone
    std::vector<std::int64_t> kept_units;
  };
  void prune();
  void clear_readers();
  void find_kept_units();
  void apply_masks();
  void round();

  std::vector<CompressionTarget>& targets_;
  bool units_;
  std::vector<Mask> masks_;
  std::vector<torch::Tensor> shadows_;  ///< undefined without bits
  torch::Tensor scales_;                ///< float [targets]
};

}  // namespace limber
