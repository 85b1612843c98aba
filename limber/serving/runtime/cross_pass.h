#pragma once

#include <cstdint>
#include <vector>

#include "limber/serving/runtime/cross_layer.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// gradient(k) += sum_j weights(k, j) sums(j) for the first `dim` rows of a row-major matrix
/// [.., width].
void add_product(const AlignedFloats& weights, std::int64_t width, const float* sums,
                 std::int64_t dim, float* gradient);

/// A member's support rows on their way through a chain of cross layers and back: FrozenPass for
/// the crosses alone.
class CrossPass {
 public:
  /// `x` [rows, width], padded: the inputs. Of its first `dim` columns, which are the embedding's,
  /// the first product is made anew each time; what they hold now is part of what stays unless
  /// `begin` is `dim`.
  CrossPass(const CrossChain& chain, std::int64_t width, std::int64_t dim, const float* x,
            std::int64_t begin, std::int64_t rows, Workspace& workspace);

  /// The chain's output [rows, width] under `embedding` [dim]; x holds it, too.
  const float* forward(const float* x, const float* embedding);
  /// Adds to `gradient` [dim] what reaches the embedding from `gradient_x`, the gradient of the
  /// last output [rows, width], padded. Writes over gradient_x.
  void backward(const float* x, float* gradient_x, float* gradient);

 private:
  /// What passed one layer.
  struct Kept {
    float* low = nullptr;       ///< [rows, inner width], with a bottleneck
    float* attended = nullptr;  ///< [rows, rank], with attention
    float* outer;               ///< what is multiplied with x_0, [rows, width]
    float* crossed;             ///< the layer's output, [rows, width]
  };

  const CrossChain& chain_;
  std::int64_t width_, dim_, rows_;
  float* fixed_;  ///< [rows, first inner width]: the part of the first product that never changes
  float* shift_;  ///< [first inner width]: the embedding's
  std::vector<Kept> kept_;
  float* outer_;  ///< scratch of the way back: [rows, width]
  float* low_;    ///< [rows, widest bottleneck]
  float* inner_;  ///< [rows, widest inner product]
  float* sums_;   ///< [widest inner product]
};

}  // namespace limber
