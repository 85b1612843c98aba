#pragma once

#include <torch/torch.h>

#include <vector>

#include "limber/core/data/dataset.h"
#include "limber/core/data/task_batch.h"
#include "limber/training/model/ranking_model.h"
#include "limber/training/train/fisher.h"

namespace limber {

/// Holds a model's weights to earlier ones (LiRank, arXiv 2402.06859, section on incremental
/// training): added to the training loss is
///
///     1/2 sum_k s_k (w - w_k)' diag(H_k) (w - w_k).
///
/// What is kept is that sum as one parabola a weight: its stiffness sum_k s_k H_k, and its centre.
class Hold {
 public:
  struct Term {
    double strength;       ///< s_k
    NamedTensors weights;  ///< w_k
    NamedTensors fisher;   ///< H_k; a tensor that it lacks is free
  };

  /// Holds nothing.
  Hold() = default;
  /// Tables of a term may have fewer rows than the model's: the others are free.
  Hold(const RankingModel& model, const std::vector<Term>& terms);

  bool empty() const { return parameters_.empty(); }

  /// A step holds those rows of the tables that its batch touches. The loss pulls at a row in every
  /// step on average, the hold only in those that touch it, so there it must pull harder: by how
  /// much is counted over the batches of `epoch`.
  void count_touches(const EpisodeSampler& epoch, const Dataset& dataset);

  /// Adds its gradients to those of the model's parameters and of a batch's rows of the tables.
  void add_gradients(RankingModel& model, const RowBatch& batch,
                     std::vector<torch::Tensor>& table_rows) const;

  /// Its value, but for a constant.
  double value(const RankingModel& model) const;

  /// sum_k s_k H_k, on the CPU.
  NamedTensors stiffness(const RankingModel& model) const;

 private:
  struct Parabola {
    torch::Tensor stiffness, centre;  ///< of the weight's shape
  };
  static Parabola join(const torch::Tensor& current, const std::string& name,
                       const std::vector<Term>& terms);

  std::vector<Parabola> parameters_, tables_;
  std::vector<torch::Tensor> steps_per_touch_;  ///< by table, [rows]; empty: 1
};

}  // namespace limber
