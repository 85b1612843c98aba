#pragma once

#include <cstdint>
#include <vector>

#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// Some rows on their way through fully connected layers and back.
class StackPass {
 public:
  /// `workspace` must not restart while this object is in use.
  StackPass(const DenseStack& stack, std::int64_t rows, Workspace& workspace);

  /// The last layer's output for x [rows, in]; x itself without layers. All matrices padded.
  const float* forward(const float* x);
  /// The gradient of x from that of the last output, over which it writes; void with the next call.
  const float* backward(float* gradient);

 private:
  const DenseStack& stack_;
  std::int64_t rows_;
  std::vector<float*> outputs_;  ///< by layer
  float *left_, *right_;         ///< [rows, widest]
};

}  // namespace limber
