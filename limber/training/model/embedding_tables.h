#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "limber/core/data/row_batch.h"
#include "limber/training/distributed/row_exchange.h"

namespace limber {

/// The embedding tables. They are no autograd parameters: a step takes the rows that its batch
/// uses as small leaves, and the optimizer writes those rows back, so that a step costs what its
/// batch touches, not what the tables hold.
///
/// Where several processes train together each holds a share of the rows (table_placement.h), with
/// their accumulators; gather and the steps are then collective, also for a batch without rows.
class EmbeddingTables {
 public:
  /// Rows start normal with deviation 0.05; row 0 (unknown) starts at zero. A row starts the same
  /// whoever holds it. `ranks`: the processes that train together; null: one alone.
  EmbeddingTables(const std::vector<EmbeddingTableShape>& shapes, std::uint64_t seed,
                  torch::TensorOptions options, std::shared_ptr<ProcessGroup> ranks = nullptr,
                  std::int64_t whole_below = kWholeTableRows);

  /// By table: the rows in use, [used rows, dim]; leaves that ask for gradients where `train`.
  std::vector<torch::Tensor> gather(const RowBatch& batch, bool train) const;

  /// The steps are those of the batch that was gathered last.
  ///
  /// Row-wise Adagrad (one accumulator a row, of the mean squared gradient): for each used row
  /// sum += mean(g^2); row -= rate * g / (sqrt(sum) + 1e-8). Rows without gradient stay untouched.
  void step_rowwise_adagrad(const RowBatch& batch, const std::vector<torch::Tensor>& leaves,
                            double rate);
  /// row -= rate * g.
  void step_sgd(const RowBatch& batch, const std::vector<torch::Tensor>& leaves, double rate);

  /// Table `t` with the rows of all processes [rows, dim], for the first of them; undefined for the
  /// others. Collective.
  torch::Tensor whole(std::size_t t) const;

  /// Of the rows that this process holds.
  std::vector<torch::Tensor>& weights() { return weights_; }
  const std::vector<torch::Tensor>& weights() const { return weights_; }
  std::vector<torch::Tensor>& accumulators() { return accumulators_; }
  const std::vector<EmbeddingTableShape>& shapes() const { return shapes_; }
  const std::vector<TablePlacement>& placements() const { return placements_; }
  /// The processes that hold the tables together; null: one alone.
  ProcessGroup* ranks() const { return exchange_ ? exchange_->ranks().get() : nullptr; }
  /// Null where one process trains alone.
  const RowExchange* exchange() const { return exchange_.get(); }

 private:
  std::vector<EmbeddingTableShape> shapes_;
  std::vector<TablePlacement> placements_;
  std::shared_ptr<RowExchange> exchange_;
  std::vector<torch::Tensor> weights_;       ///< [held rows, dim]
  std::vector<torch::Tensor> accumulators_;  ///< [held rows]
  torch::Device device_;                     ///< that the rows in use are gathered on
};

}  // namespace limber
