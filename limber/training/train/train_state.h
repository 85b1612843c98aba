#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "limber/training/model/ranking_model.h"
#include "limber/training/train/dense_optimizer.h"

namespace limber {

/// Everything that decides how training goes on, so that a resumed run gives the same bits as one
/// that was never interrupted.
struct TrainState {
  std::int64_t epoch = 0;       ///< epochs completed
  std::int64_t batch = 0;       ///< batches of the current epoch completed
  std::int64_t step = 0;        ///< steps completed
  double loss_sum = 0;          ///< of the current epoch, for its mean
  double loss_count = 0;        ///< rows, by weight
  double best_score = 0;        ///< of validation, higher is better
  std::int64_t best_epoch = 0;  ///< 0: none yet
  bool done = false;
  /// Dense tensors and tables at the best epoch; empty before it.
  std::map<std::string, torch::Tensor> best;

  double mean_loss() const { return loss_count > 0 ? loss_sum / loss_count : 0.0; }
};

/// Copies of all dense tensors ("dense.NAME") and tables ("table.NAME"; of the rows that this
/// process holds).
std::map<std::string, torch::Tensor> copy_weights(const RankingModel& model);
/// The same into `kept`, whose memory is used again.
void keep_weights(const RankingModel& model, std::map<std::string, torch::Tensor>& kept);
/// The inverse. Throws Error when a tensor is missing or of another shape.
void restore_weights(RankingModel& model, const std::map<std::string, torch::Tensor>& weights);

/// One file, written whole or not at all. `fingerprint` says what the run is (config and data).
/// Where several processes train together, each writes the rows that it holds to a file of its own
/// first (checkpoint_parts.h), and the first one the checkpoint, which makes all of them count.
/// Collective then.
void save_checkpoint(const std::filesystem::path& path, const std::string& fingerprint,
                     const TrainState& state, const RankingModel& model, DenseOptimizer& optimizer);

/// Any number of processes can go on from what any other number wrote. Throws InputError when the
/// file is damaged or belongs to another run; warns when the run began on another number of
/// threads.
void load_checkpoint(const std::filesystem::path& path, const std::string& fingerprint,
                     TrainState& state, RankingModel& model, DenseOptimizer& optimizer);

}  // namespace limber
