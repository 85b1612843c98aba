#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "limber/core/data/row_batch.h"
#include "limber/training/distributed/process_group.h"
#include "limber/training/distributed/table_placement.h"

namespace limber {

/// Brings rows of embedding tables from the processes that hold them, and the gradients back: two
/// all-to-alls (ids, rows) before a step, one (gradients) after it.
class RowExchange {
 public:
  RowExchange(std::shared_ptr<ProcessGroup> ranks, std::vector<TablePlacement> placements)
      : ranks_(std::move(ranks)), placements_(std::move(placements)) {}

  /// By table, the rows that the batch uses [used rows, dim]. `shards`: by table, the rows that
  /// this process holds [held rows, dim].
  std::vector<torch::Tensor> pull(const RowBatch& batch, const std::vector<torch::Tensor>& shards);

  /// What all processes say about rows that this one holds.
  struct Update {
    std::vector<std::int64_t> rows;  ///< their places, ascending, each once
    torch::Tensor gradient;          ///< [rows, dim]: summed over the processes, in their order
  };
  /// By table. `gradients`: of what the last pull gave, by table; undefined where there is none.
  std::vector<Update> push(const std::vector<torch::Tensor>& gradients);

  /// Spent in pull and push by this process, waiting for others included.
  double pull_seconds() const { return pull_seconds_; }
  double push_seconds() const { return push_seconds_; }
  const std::shared_ptr<ProcessGroup>& ranks() const { return ranks_; }
  const std::vector<TablePlacement>& placements() const { return placements_; }

 private:
  std::int64_t& count(std::vector<std::int64_t>& counts, std::int64_t rank, std::size_t table) {
    return counts[static_cast<std::size_t>(rank) * placements_.size() + table];
  }
  /// Values per process: its counts times the tables' widths.
  std::vector<std::int64_t> values_of(const std::vector<std::int64_t>& counts) const;
  void ask_for(const RowBatch& batch);

  std::shared_ptr<ProcessGroup> ranks_;
  std::vector<TablePlacement> placements_;
  std::vector<std::int64_t> dims_;
  torch::TensorOptions options_;  ///< of the tables
  // Of the last pull; rows stand process by process, then table by table.
  std::vector<std::int64_t> asked_, given_;  ///< [processes * tables] how many rows
  std::vector<std::int64_t> positions_;      ///< of each row asked for: which used row of its table
  torch::Tensor given_places_;               ///< of each row that others asked for: where it lies
  std::vector<std::int64_t> used_;           ///< by table: used rows
  double pull_seconds_ = 0, push_seconds_ = 0;
};

}  // namespace limber
