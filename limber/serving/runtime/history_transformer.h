#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// Reads a member's latest interactions with each candidate as a sequence: the runtime's twin of
/// training/model/history_transformer.h.
class FrozenHistoryTransformer {
 public:
  /// Tensors NAME.*.
  static FrozenHistoryTransformer load(const DenseTensors& tensors, const std::string& name,
                                       const HistoryOptions& options);

  /// How many of the latest steps are read.
  std::int64_t length() const { return length_; }
  /// `steps` [count, dim], dense, the latest last; candidates [rows, dim], padded -> to [rows,
  /// dim], `to_row` apart. `own_steps` [rows]: the step that a candidate is itself and does not
  /// see, -1 for none; null: the candidates are none of the steps.
  void forward(const float* steps, std::int64_t count, const float* candidates, std::int64_t rows,
               const std::int64_t* own_steps, Workspace& workspace, float* to,
               std::int64_t to_row) const;

 private:
  struct Norm {
    AlignedFloats gain, bias;
  };
  struct Layer {
    Norm norm_attention, norm_feed;
    DenseLayer queries_keys_values, out, feed, back;
  };
  struct Room;
  void run(const Layer& layer, const Room& room, float* x) const;

  std::int64_t length_ = 0, heads_ = 1, dim_ = 0;
  std::vector<Layer> layers_;
  Norm norm_;
  DenseLayer out_;
  AlignedFloats positions_;  ///< [length, dim], padded
};

}  // namespace limber
