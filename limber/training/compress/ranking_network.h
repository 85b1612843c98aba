#pragma once

#include <memory>
#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/training/compress/network.h"
#include "limber/training/model/ranking_model.h"
#include "limber/training/train/dense_optimizer.h"

namespace limber {

/// The ranking model as a network that can be compressed. Its weights are all matrices of the
/// model, under the names of their parameters without ".weight"; those whose units can be removed
/// are
///
///   global_block.mlp.layerN             read by the next layer, or by heads and experts, and by
///                                       the layer's own gate
///   global_block.experts.expertE.layerN but for the last one where several experts are mixed:
///                                       there units of all experts are summed
///   global_block.cross.layerN.down      of low-rank crosses: the rank
///
/// Training is that of Trainer on the same batches, but the embedding tables stay as they are: what
/// is compressed is what reads them, a row that has been published stays the vector that it was,
/// and further epochs over rows of rare ids would only teach them by heart.
class RankingNetwork : public CompressibleNetwork {
 public:
  /// `dataset` must outlive it. `model` is changed in place.
  RankingNetwork(const Config& config, const Dataset& dataset, RankingModel model);

  std::vector<CompressibleWeight> weights() override;
  std::int64_t steps_per_epoch() const override { return steps_per_epoch_; }
  double train_epoch(const std::string& phase, std::int64_t epoch, double learning_rate,
                     const Hooks& hooks) override;
  Quality validate() override;
  Quality test() override;
  std::string metric_name() const override { return "AUC"; }
  /// Options of data, training and episodes, and a checksum of the encoded rows.
  std::string origin() const override;
  /// Dense tensors and the optimiser's moments; tables do not change.
  std::vector<std::pair<std::string, torch::Tensor>> state() override;

 private:
  Quality quality_of(Part part);

  Config config_;
  const Dataset& dataset_;
  RankingModel model_;
  torch::Tensor label_weights_;
  DenseOptimizer optimizer_;
  torch::Tensor optimizer_steps_;  ///< int64 [1]: the optimiser's own, where state() can see it
  std::int64_t steps_per_epoch_;
};

/// The weights of a model, as RankingNetwork has them.
std::vector<CompressibleWeight> ranking_weights(const RankingModel& model);
/// The parameter of a weight: "global_block.head" -> "global_block.head.weight".
std::string parameter_of_weight(const RankingModel& model, const std::string& weight);

}  // namespace limber
