#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/training/layers/number_norm.h"
#include "limber/training/model/embedding_tables.h"
#include "limber/training/model/global_block.h"
#include "limber/training/model/history_encoder.h"
#include "limber/training/model/meta_block.h"

namespace limber {

/// All parts of a model, built from the config and the layout of its inputs. Which parts exist
/// depends on the config; how they are run on support and query rows is in meta/episode.h.
class RankingModelImpl : public torch::nn::Module {
 public:
  /// `base_rates`: share of ones of each label in the training rows; what a member's labels are
  /// compared with. `ranks`: the processes that train it together, each with a share of the tables'
  /// rows and all of the rest; null: one alone.
  RankingModelImpl(InputLayout layout, const ModelOptions& model, const MetaOptions& meta,
                   std::vector<double> base_rates, std::uint64_t seed, torch::TensorOptions tensor,
                   const std::shared_ptr<ProcessGroup>& ranks = nullptr);

  bool uses_support() const {
    return model.meta_block.enabled || model.history.enabled || model.statistics.enabled;
  }
  /// Needs a prediction of the un-personalised model for each support row.
  bool uses_residuals() const {
    return model.statistics.enabled ||
           (model.history.enabled && model.history.signal == "residual");
  }
  std::int64_t labels() const { return static_cast<std::int64_t>(layout.labels.size()); }
  std::int64_t statistics_width() const { return model.statistics.enabled ? 1 + 2 * labels() : 0; }
  bool member_level() const { return model.meta_block.level == "member"; }

  /// The inputs of a batch [rows, all input columns]: assemble_inputs, numbers normalised where the
  /// model does that.
  torch::Tensor inputs_of(const RowBatch& batch, const std::vector<torch::Tensor>& table_rows);

  /// Step size of each tensor that the inner loop moves.
  std::vector<torch::Tensor> inner_rates() const;
  /// kappa of the support loss, and of the pooling of the block's outputs.
  torch::Tensor shrinkage() const { return log_shrinkage.exp(); }
  torch::Tensor pooling_shrinkage() const { return log_pooling_shrinkage.exp(); }

  /// Every dense tensor by name, parameters and buffers, in a fixed order.
  std::vector<std::pair<std::string, torch::Tensor>> dense_tensors() const;

  const InputLayout layout;
  const ModelOptions model;
  const MetaOptions meta;
  torch::TensorOptions tensor;

  EmbeddingTables tables;
  NumberNorm numbers{nullptr};
  ColumnSelection meta_inputs;
  MetaBlock meta_block{nullptr};
  HistoryEncoder history{nullptr};
  GlobalBlock global_block{nullptr};
  torch::Tensor default_embedding;  ///< [1, dim]: the embedding without any support
  torch::Tensor history_start;      ///< [history dim, dim], with meta_block.start: history
  torch::Tensor log_inner_rates;    ///< [1] or [tensors that the inner loop moves]
  torch::Tensor log_shrinkage, log_pooling_shrinkage, log_statistics_shrinkage;  ///< [1]
  torch::Tensor base_rates;                                                      ///< [labels]
};
TORCH_MODULE(RankingModel);

}  // namespace limber
