#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/config/compress_options.h"
#include "limber/training/compress/network.h"

namespace limber {

/// What became of one weight.
struct CompressedWeight {
  std::string name;
  /// [inputs, outputs], bool, on the CPU: what stays; undefined where nothing was pruned.
  torch::Tensor mask;
  /// Outputs of `mask` that stay, ascending, under compress.structure: units; else empty.
  std::vector<std::int64_t> kept_units;
  std::int64_t groups = 0, kept_groups = 0;  ///< units, lines of tiles, or tiles; 0: not pruned
  /// [inputs, outputs], int8, on the CPU: the weight is scale * codes to the last bit; undefined
  /// where compress.bits is 0.
  torch::Tensor codes;
  float scale = 0;
};

struct CompressionResult {
  std::vector<CompressedWeight> weights;  ///< those that compression acted on, in weights()'s order
  std::int64_t weights_before = 0;        ///< elements of all weights(), biases apart
  /// Elements that are left: without what a mask takes, and without the rows that read a removed
  /// unit.
  std::int64_t weights_after = 0;
  CompressibleNetwork::Quality validation_before, validation_after;
  double seconds = 0;    ///< of training and searching, in this process
  bool stopped = false;  ///< a signal asked for it; the same call goes on from there

  double ratio() const {
    return weights_after > 0
               ? static_cast<double>(weights_before) / static_cast<double>(weights_after)
               : 0;
  }
  /// nullptr: compression did not act on it.
  const CompressedWeight* find(const std::string& name) const;
};

/// Prunes and rounds the weights of `network` in place as `options` say: chooses how many groups
/// each weight keeps (budget.h), trains under the penalty of the alternating direction method of
/// multipliers (admm.h), projects, and trains on with what was pruned held at 0 and, with
/// compress.bits, with every weight on one of its levels.
///
/// With compress.target_loss the shares are searched first (target_search.h).
///
/// `work_folder` gets a checkpoint after every pass and compress.jsonl, a line for each update and
/// each pass; a call that was cut off goes on there, and one that had ended gives its result again,
/// until forget_compression(). A checkpoint of other options or of another network is left aside
/// with a word, `restart` ignores any.
///
/// Throws InputError for a layer that is not in weights(), for structure: units on a weight whose
/// units cannot be removed, for a budget that cannot be met, for
/// compress.bits: 1, and where both a target ratio and a target loss are given.
CompressionResult compress_network(CompressibleNetwork& network, const CompressOptions& options,
                                   const std::filesystem::path& work_folder, bool restart);

/// Removes the checkpoint that compress_network() keeps, once its result is safe elsewhere.
void forget_compression(const std::filesystem::path& work_folder);

}  // namespace limber
