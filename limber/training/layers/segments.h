#pragma once

#include <torch/torch.h>

#include <vector>

namespace limber {

/// How the rows of a batch divide into tasks: task t owns rows offsets[t] to offsets[t + 1]. A
/// cheap handle; copies share their data.
class Segments {
 public:
  struct Data : torch::CustomClassHolder {
    std::vector<std::int64_t> offsets = {0};
    torch::Tensor counts, task_of_row;
  };

  Segments() : data_(c10::make_intrusive<Data>()) {}
  /// `offsets` ascends from 0; its last entry is the number of rows.
  Segments(std::vector<std::int64_t> offsets, torch::Device device);
  explicit Segments(c10::intrusive_ptr<Data> data) : data_(std::move(data)) {}

  std::int64_t tasks() const { return static_cast<std::int64_t>(data_->offsets.size()) - 1; }
  std::int64_t rows() const { return data_->offsets.back(); }
  const std::vector<std::int64_t>& offsets() const { return data_->offsets; }
  /// int64 [tasks]: rows of each task, on the device.
  const torch::Tensor& counts() const { return data_->counts; }
  /// int64 [rows]: the task of each row, on the device.
  const torch::Tensor& task_of_row() const { return data_->task_of_row; }
  const c10::intrusive_ptr<Data>& data() const { return data_; }

 private:
  c10::intrusive_ptr<Data> data_;
};

/// Repeats each task's vector for each of its rows: [tasks, width] -> [rows, width].
/// Differentiable any number of times; its adjoint is sum_rows.
torch::Tensor expand_rows(const torch::Tensor& by_task, const Segments& segments);

/// Sums each task's rows: [rows, width] -> [tasks, width]. Its adjoint is expand_rows.
torch::Tensor sum_rows(const torch::Tensor& by_row, const Segments& segments);

/// Multiplies each task's rows by the task's own matrix: rows [rows, in], weights
/// [tasks, in, out] -> [rows, out]. Weights that are one matrix expanded over all tasks are
/// multiplied in one product, which is what the first inner step meets. Ragged tasks cost what
/// their rows cost; nothing is padded. Differentiable any number of times.
torch::Tensor grouped_matmul(const torch::Tensor& rows, const torch::Tensor& weights,
                             const Segments& segments);

/// Each task's sum of outer products: left [rows, in], right [rows, out] -> [tasks, in, out], the
/// gradient of grouped_matmul in its weights.
torch::Tensor grouped_outer(const torch::Tensor& left, const torch::Tensor& right,
                            const Segments& segments);

}  // namespace limber
