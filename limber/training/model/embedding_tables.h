#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "limber/core/data/row_batch.h"

namespace limber {

/// The embedding tables. They are no autograd parameters: a step takes the rows that its batch
/// uses as small leaves, and the optimizer writes those rows back, so that a step costs what its
/// batch touches, not what the tables hold.
class EmbeddingTables {
 public:
  /// Rows start normal with deviation 0.05; row 0 (unknown) starts at zero.
  EmbeddingTables(const std::vector<EmbeddingTableShape>& shapes, std::uint64_t seed,
                  torch::TensorOptions options);

  /// By table: the rows in use, [used rows, dim]; leaves that ask for gradients where `train`.
  std::vector<torch::Tensor> gather(const RowBatch& batch, bool train) const;

  /// Row-wise Adagrad (one accumulator a row, of the mean squared gradient): for each used row
  /// sum += mean(g^2); row -= rate * g / (sqrt(sum) + 1e-8). Rows without gradient stay untouched.
  void step_rowwise_adagrad(const RowBatch& batch, const std::vector<torch::Tensor>& leaves,
                            double rate);
  /// row -= rate * g.
  void step_sgd(const RowBatch& batch, const std::vector<torch::Tensor>& leaves, double rate);

  std::vector<torch::Tensor>& weights() { return weights_; }
  const std::vector<torch::Tensor>& weights() const { return weights_; }
  std::vector<torch::Tensor>& accumulators() { return accumulators_; }
  const std::vector<EmbeddingTableShape>& shapes() const { return shapes_; }

 private:
  std::vector<EmbeddingTableShape> shapes_;
  std::vector<torch::Tensor> weights_;       ///< [rows, dim]
  std::vector<torch::Tensor> accumulators_;  ///< [rows]
};

}  // namespace limber
