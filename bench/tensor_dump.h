#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "limber/core/artifact/tensor.h"
#include "limber/core/data/task_batch.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// Collects copies of tensors and writes them to one safetensors file, from which the peers read
/// the same weights, the same batches and our results.
class TensorDump {
 public:
  void add(const std::string& name, const torch::Tensor& tensor);
  void add(const std::string& name, const std::vector<std::int64_t>& values);
  void add(const std::string& name, const std::vector<float>& values);

  /// dense.NAME and table.NAME.
  void add_weights(const RankingModel& model);
  /// gradient.dense.NAME and gradient.table.NAME (of the rows in use), behind `prefix`.
  void add_gradients(const std::string& prefix, const RankingModel& model,
                     const std::vector<torch::Tensor>& table_rows);
  /// PREFIX.support_offsets, PREFIX.SOURCE.positions, PREFIX.FEATURE.indices and so on.
  void add_batch(const std::string& prefix, const InputLayout& layout, const TaskBatch& batch);

  /// `layout` and `batches` go into the metadata.
  void write(const std::filesystem::path& path, const InputLayout& layout, std::int64_t batches);

 private:
  std::vector<Tensor> tensors_;
  std::list<torch::Tensor> owned_;
};

}  // namespace limber
