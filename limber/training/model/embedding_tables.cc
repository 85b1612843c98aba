#include "limber/training/model/embedding_tables.h"

#include "limber/training/layers/parallel.h"

#include <cmath>
#include <cstring>

#include "limber/core/base/random.h"

namespace limber {
namespace {

template <class T>
void adagrad_rows(torch::Tensor& weight, torch::Tensor& accumulator,
                  const std::vector<std::int64_t>& rows, const torch::Tensor& gradient,
                  double rate) {
  const std::int64_t dim = weight.size(1);
  T* values = weight.mutable_data_ptr<T>();
  T* sums = accumulator.mutable_data_ptr<T>();
  const T* gradients = gradient.const_data_ptr<T>();
  at::parallel_for(0, static_cast<std::int64_t>(rows.size()), 1024,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i) {
                       const T* from = gradients + i * dim;
                       T squares = 0;
                       for (std::int64_t c = 0; c < dim; ++c) squares += from[c] * from[c];
                       if (squares == T(0)) continue;
                       const std::int64_t row = rows[static_cast<std::size_t>(i)];
                       sums[row] += squares / static_cast<T>(dim);
                       const T step = static_cast<T>(rate) / (std::sqrt(sums[row]) + T(1e-8));
                       T* to = values + row * dim;
                       for (std::int64_t c = 0; c < dim; ++c) to[c] -= step * from[c];
                     }
                   });
}

}  // namespace

EmbeddingTables::EmbeddingTables(const std::vector<EmbeddingTableShape>& shapes, std::uint64_t seed,
                                 torch::TensorOptions options)
    : shapes_(shapes) {
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(mix64(seed ^ mix64(t)));
    torch::Tensor weight = torch::empty({shapes[t].rows, shapes[t].dim}, torch::kFloat);
    weight.normal_(0, 0.05, generator);
    if (shapes[t].rows > 0) weight[0].zero_();
    weights_.push_back(weight.to(options));
    accumulators_.push_back(torch::zeros({shapes[t].rows}, options));
  }
}

std::vector<torch::Tensor> EmbeddingTables::gather(const RowBatch& batch, bool train) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> leaves;
  for (std::size_t t = 0; t < weights_.size(); ++t) {
    const auto& rows = batch.table_rows[t];
    const torch::Tensor index = torch::tensor(rows, torch::kLong).to(weights_[t].device());
    torch::Tensor leaf = weights_[t].index_select(0, index);
    leaf.set_requires_grad(train);
    leaves.push_back(leaf);
  }
  return leaves;
}

void EmbeddingTables::step_rowwise_adagrad(const RowBatch& batch,
                                           const std::vector<torch::Tensor>& leaves, double rate) {
  const torch::NoGradGuard no_grad;
  for (std::size_t t = 0; t < weights_.size(); ++t) {
    if (!leaves[t].grad().defined() || batch.table_rows[t].empty()) continue;
    const torch::Tensor gradient = leaves[t].grad().contiguous();
    if (weights_[t].device().is_cpu()) {
      if (weights_[t].scalar_type() == torch::kDouble) {
        adagrad_rows<double>(weights_[t], accumulators_[t], batch.table_rows[t], gradient, rate);
      } else {
        adagrad_rows<float>(weights_[t], accumulators_[t], batch.table_rows[t], gradient, rate);
      }
      continue;
    }
    const auto index = torch::tensor(batch.table_rows[t], torch::kLong).to(gradient.device());
    const auto sums = accumulators_[t].index_select(0, index) + gradient.square().mean(1);
    accumulators_[t].index_copy_(0, index, sums);
    weights_[t].index_add_(0, index, gradient * (-rate / (sums.sqrt() + 1e-8)).unsqueeze(1));
  }
}

void EmbeddingTables::step_sgd(const RowBatch& batch, const std::vector<torch::Tensor>& leaves,
                               double rate) {
  const torch::NoGradGuard no_grad;
  for (std::size_t t = 0; t < weights_.size(); ++t) {
    if (!leaves[t].grad().defined() || batch.table_rows[t].empty()) continue;
    const auto index = torch::tensor(batch.table_rows[t], torch::kLong).to(weights_[t].device());
    weights_[t].index_add_(0, index, leaves[t].grad(), -rate);
  }
}

}  // namespace limber
