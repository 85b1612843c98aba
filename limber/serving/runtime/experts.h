#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/serving/runtime/last_layer_posterior.h"
#include "limber/serving/runtime/stack_pass.h"

namespace limber {

/// Towers or experts between the common layers and the logits (training/layers/experts.h).
class FrozenExperts {
 public:
  /// Tensors NAME.*. `order`, if given, says which stored column of h each is.
  static FrozenExperts load(const DenseTensors& tensors, const std::string& name, std::int64_t in,
                            const std::vector<std::string>& labels, const ExpertOptions& options,
                            const std::string& activation, const std::vector<std::int64_t>& order);

  /// logits [rows, labels] of h [rows, in], padded. `start` [rows, labels] is added; may be null.
  /// `last_layers` stand in place of the heads where given.
  void forward(const float* h, std::int64_t rows, const float* start,
               const LastLayerView* last_layers, Workspace& workspace, float* logits) const;
  std::int64_t out() const { return out_; }

 private:
  friend class ExpertPass;
  struct Group {
    std::vector<std::int64_t> labels;   ///< places among the logits
    std::vector<std::int64_t> visible;  ///< experts
    DenseLayer gate;                    ///< [in, visible]; without columns where nothing is mixed
    DenseLayer head;                    ///< [out, labels]
    bool mixes() const { return gate.out > 0; }
  };
  std::int64_t in_ = 0, out_ = 0, labels_ = 0;
  std::vector<DenseStack> experts_;
  std::vector<Group> groups_;
};

/// Some rows on their way through the experts and back.
class ExpertPass {
 public:
  /// `workspace` must not restart while this object is in use.
  ExpertPass(const FrozenExperts& experts, std::int64_t rows, Workspace& workspace);

  /// As FrozenExperts::forward.
  void forward(const float* h, const float* start, float* logits);
  /// to = the gradient of h [rows, in], padded, from those of the logits [rows, labels].
  void backward(const float* seed, float* to);

 private:
  const FrozenExperts& experts_;
  std::int64_t rows_;
  std::vector<StackPass> passes_;
  std::vector<const float*> outputs_;  ///< by expert, [rows, out]
  std::vector<float*> shares_;         ///< by group, [rows, visible]
  std::vector<float*> gradients_;      ///< by expert, [rows, out]
  float *mixed_, *few_, *gate_gradient_;
};

}  // namespace limber
