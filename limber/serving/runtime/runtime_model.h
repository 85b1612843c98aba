#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/artifact/artifact.h"
#include "limber/core/config/options.h"
#include "limber/core/data/encoder.h"
#include "limber/core/data/popularity.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/embedding_table.h"
#include "limber/serving/runtime/global_block.h"
#include "limber/serving/runtime/history_transformer.h"
#include "limber/serving/runtime/input_plan.h"

namespace limber {

/// Weights of the meta block, shared by all members before adaptation.
struct FrozenMetaBlock {
  bool tanh = false;
  std::vector<DenseLayer> layers;   ///< hidden ones, then the linear last one
  std::vector<float> weight_rates;  ///< by layer: inner learning rates of its weight
  std::vector<float> bias_rates;    ///< and of its bias
  float embedding_rate = 0;         ///< adapt: embedding
  std::int64_t dim() const { return layers.back().out; }
};

/// Weights of the history encoder.
struct FrozenHistoryEncoder {
  DenseStack mlp;
  DenseLayer out, key, query;  ///< key and query: attention alone
  DenseLayer step, candidate;  ///< transformer alone
  std::optional<FrozenHistoryTransformer> transformer;
  bool attends = false;  ///< pools by candidate
  float shrinkage = 0, empty_score = 0;
  std::int64_t width = 0;
  std::int64_t dim() const { return width; }
  /// Numbers of an interaction in MemberVector::slots.
  std::int64_t slot() const { return transformer ? width : 2 * width + 1; }
};

/// How scoring multiplies the fully connected layers of the global block: in 32-bit floats, or in
/// integers of seven bits, which is faster and rounds.
enum class Precision { kFloat32, kInt8 };

/// A published model, ready to score and to adapt members without LibTorch. Immutable; any number
/// of threads may use one.
class RuntimeModel {
 public:
  /// `shared_features`: features that all candidates of a request have in common, so that their
  /// part is computed once; each must be one of the model's. The tables stay mapped from the
  /// artifact's files. Throws InputError: no such feature, a tensor that does not fit the config.
  static std::shared_ptr<const RuntimeModel> load(Artifact artifact,
                                                  const std::vector<std::string>& shared_features,
                                                  Precision precision = Precision::kFloat32);
  RuntimeModel(const RuntimeModel&) = delete;
  RuntimeModel& operator=(const RuntimeModel&) = delete;

  const std::string& name() const { return artifact.name(); }
  const std::string& version() const { return artifact.version(); }
  std::int64_t labels() const { return static_cast<std::int64_t>(layout.labels.size()); }
  bool uses_support() const {
    return config.model.meta_block.enabled || config.model.history.enabled ||
           config.model.statistics.enabled;
  }
  bool member_level() const { return config.model.meta_block.level == "member"; }
  std::int64_t embedding_width() const { return meta_block ? meta_block->dim() : 0; }
  std::int64_t statistics_width() const {
    return config.model.statistics.enabled ? 1 + 2 * labels() : 0;
  }
  bool attends() const { return history && history->attends; }
  /// Columns that the global block gets of a member whatever the candidate: embedding, statistics,
  /// pooled history.
  std::int64_t known_width() const {
    return embedding_width() + statistics_width() + (history && !attends() ? history->dim() : 0);
  }

  /// What else reaches the logits of rows [first, last) of a set. `common`: the curves of all of
  /// them, where known.
  LogitParts logit_parts(const RowSet& rows, std::int64_t first, std::int64_t last,
                         Workspace& workspace, const Curves& common = {}) const;
  /// The curves of those rows; of the block's calibration, which must exist.
  Curves curves(const RowSet& rows, std::int64_t first, std::int64_t last,
                Workspace& workspace) const;

  const Artifact artifact;
  const Config config;
  std::vector<FeatureEncoder> encoders;
  InputLayout layout;
  std::vector<EmbeddingTable> tables;

  InputPlan shared_inputs, candidate_inputs;  ///< of the global block
  InputPlan wide_inputs, calibration_inputs, meta_inputs, history_inputs;
  bool curves_are_shared = false;  ///< calibration inputs are all shared features
  FrozenGlobalBlock global_block;
  std::optional<LastLayerPosterior> last_layers;  ///< what exploring draws from; or none
  std::unique_ptr<FrozenMetaBlock> meta_block;
  std::unique_ptr<FrozenHistoryEncoder> history;
  std::optional<Popularity> popularity;  ///< beside the blocks; adaptation does not see it

  AlignedFloats default_embedding;  ///< [dim]
  AlignedFloats history_start;      ///< [history dim, dim], rows padded; empty without
  float shrinkage = 0, pooling_shrinkage = 0, statistics_shrinkage = 0;
  std::vector<float> base_rates;     ///< [labels]
  std::vector<float> score_weights;  ///< [labels]: the model's score; empty where it has none

 private:
  RuntimeModel(Artifact opened, Config parsed);
  void load_encoders();
  void load_blocks(const std::vector<std::string>& shared_features);
  void load_meta_block(const DenseTensors& tensors);
  void load_history(const DenseTensors& tensors);
  void load_history_start(const DenseTensors& tensors);
  std::vector<std::size_t> selected(const std::vector<std::string>& names) const;
  std::vector<std::string> feature_names(bool with_sequences) const;
};

/// Features of side tables whose key is the task: what all candidates of a member's request share.
/// Sequences, the member's own past, are among them.
std::vector<std::string> member_features(const Artifact& artifact);

}  // namespace limber
