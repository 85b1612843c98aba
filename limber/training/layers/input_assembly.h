#pragma once

#include <torch/torch.h>

#include <vector>

#include "limber/core/data/row_batch.h"

namespace limber {

/// Builds the input vectors of a batch: for every row the embeddings and numbers of all features,
/// source by source in the order of the layout.
///
/// `table_rows`: for each embedding table the rows in use, [used rows, dim], in the order of
/// RowBatch::table_rows; gradients flow into them. Result: [rows, sum of source widths]. A list
/// feature is the mean of its values, zero for an empty one; a missing number is 0, with its
/// indicator 1 where the encoder has one.
///
/// On the CPU this is one fused operation that handles each side-table row once; elsewhere it is
/// composed of LibTorch's own. First derivatives only: inputs are leaves of every graph we build.
torch::Tensor assemble_inputs(const RowBatch& batch, const InputLayout& layout,
                              const std::vector<torch::Tensor>& table_rows,
                              torch::TensorOptions options);

/// The same from LibTorch's operations on any device; the reference of the fused one.
torch::Tensor assemble_inputs_composed(const RowBatch& batch, const InputLayout& layout,
                                       const std::vector<torch::Tensor>& table_rows,
                                       torch::TensorOptions options);

}  // namespace limber
