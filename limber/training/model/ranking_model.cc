#include "limber/training/model/ranking_model.h"

#include <cmath>

#include "limber/training/layers/input_assembly.h"

namespace limber {
namespace {

std::vector<std::string> meta_input_names(const InputLayout& layout, const ModelOptions& model) {
  return model.meta_block.inputs.empty() ? feature_names(layout, false) : model.meta_block.inputs;
}

}  // namespace

RankingModelImpl::RankingModelImpl(InputLayout input_layout, const ModelOptions& model_options,
                                   const MetaOptions& meta_options, std::vector<double> rates,
                                   std::uint64_t seed, torch::TensorOptions tensor_options,
                                   const std::shared_ptr<ProcessGroup>& ranks)
    : layout(std::move(input_layout)),
      model(model_options),
      meta(meta_options),
      tensor(tensor_options),
      tables(layout.tables, seed, tensor_options, ranks),
      meta_inputs(layout, meta_input_names(layout, model)) {
  torch::manual_seed(static_cast<std::int64_t>(seed));
  if (model.batch_norm) {
    numbers = register_module("numbers", NumberNorm(layout, tensor));
    numbers->ranks = ranks;
  }
  std::int64_t member_width = 0;
  if (model.meta_block.enabled) {
    meta_block =
        register_module("meta_block", MetaBlock(meta_inputs.width(), model.meta_block, tensor));
    const std::int64_t dim = model.meta_block.dim;
    member_width += dim;
    default_embedding = register_parameter("default_embedding", torch::zeros({1, dim}, tensor));
    const bool weights = model.meta_block.adapt == "weights";
    const bool by_tensor = meta.inner_learning_rate == "per_tensor" && weights;
    const auto count =
        by_tensor ? static_cast<std::int64_t>(meta_block->weights().size()) : std::int64_t{1};
    log_inner_rates = torch::full({count}, std::log(meta.inner_learning_rate_start), tensor);
    log_shrinkage = torch::full({1}, std::log(std::max(meta.shrinkage_start, 1e-6)), tensor);
    // Fixed numbers are buffers: stored with the model, never moved by the optimizer.
    if (meta.inner_learning_rate == "fixed") {
      register_buffer("log_inner_rates", log_inner_rates);
    } else {
      log_inner_rates = register_parameter("log_inner_rates", log_inner_rates);
    }
    if (meta.shrinkage == "fixed") {
      register_buffer("log_shrinkage", log_shrinkage);
    } else {
      log_shrinkage = register_parameter("log_shrinkage", log_shrinkage);
    }
    log_pooling_shrinkage =
        register_parameter("log_pooling_shrinkage", torch::full({1}, std::log(5.0), tensor));
  }
  if (model.statistics.enabled) {
    member_width += statistics_width();
    log_statistics_shrinkage =
        register_parameter("log_statistics_shrinkage", torch::full({1}, std::log(5.0), tensor));
  }
  if (model.history.enabled) {
    history = register_module(
        "history", HistoryEncoder(layout, model.history, meta_input_names(layout, model), tensor));
    member_width += model.history.dim;
    if (model.meta_block.enabled && model.meta_block.start == "history") {
      history_start = register_parameter(
          "history_start", torch::zeros({model.history.dim, model.meta_block.dim}, tensor));
    }
  }
  global_block = register_module("global_block",
                                 GlobalBlock(member_width, layout, model.global_block, tensor));
  base_rates = register_buffer("base_rates", torch::tensor(rates, torch::kDouble).to(tensor));
}

torch::Tensor RankingModelImpl::inputs_of(const RowBatch& batch,
                                          const std::vector<torch::Tensor>& table_rows) {
  const torch::Tensor inputs = assemble_inputs(batch, layout, table_rows, tensor);
  return numbers ? numbers(inputs) : inputs;
}

std::vector<torch::Tensor> RankingModelImpl::inner_rates() const {
  const torch::Tensor rates = log_inner_rates.exp();
  const std::size_t moved =
      model.meta_block.adapt == "weights" ? meta_block->weights().size() : std::size_t{1};
  std::vector<torch::Tensor> by_tensor;
  for (std::size_t i = 0; i < moved; ++i) {
    by_tensor.push_back(rates.numel() == 1 ? rates
                                           : rates.narrow(0, static_cast<std::int64_t>(i), 1));
  }
  return by_tensor;
}

std::vector<std::pair<std::string, torch::Tensor>> RankingModelImpl::dense_tensors() const {
  std::vector<std::pair<std::string, torch::Tensor>> all;
  for (const auto& item : named_parameters()) all.emplace_back(item.key(), item.value());
  for (const auto& item : named_buffers()) all.emplace_back(item.key(), item.value());
  return all;
}

}  // namespace limber
