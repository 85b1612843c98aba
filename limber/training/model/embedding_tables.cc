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

void adagrad(torch::Tensor& weight, torch::Tensor& accumulator,
             const std::vector<std::int64_t>& rows, const torch::Tensor& gradient, double rate) {
  if (weight.scalar_type() == torch::kDouble) {
    adagrad_rows<double>(weight, accumulator, rows, gradient, rate);
  } else {
    adagrad_rows<float>(weight, accumulator, rows, gradient, rate);
  }
}

std::vector<torch::Tensor> gradients_of(const std::vector<torch::Tensor>& leaves) {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& leaf : leaves) {
    gradients.push_back(leaf.grad().defined() ? leaf.grad().to(torch::kCPU) : torch::Tensor());
  }
  return gradients;
}

/// The first values of rows from `begin` to before `end`, which follow on those drawn before.
torch::Tensor normal_rows(std::int64_t begin, std::int64_t end, std::int64_t dim,
                          at::Generator& generator) {
  torch::Tensor rows = torch::empty({end - begin, dim}, torch::kFloat);
  rows.normal_(0, 0.05, generator);
  if (begin == 0 && end > 0) rows[0].zero_();
  return rows;
}

/// Those that one process holds, of all that a whole table would start with: a piece at a time, so
/// that a table larger than the memory can start.
torch::Tensor first_rows(const TablePlacement& placement, std::int64_t rank, std::int64_t dim,
                         at::Generator& generator) {
  // LibTorch draws normal values sixteen at a time, but for the last ones; pieces of a multiple of
  // that draw the same as one piece.
  constexpr std::int64_t piece = 1 << 16;
  torch::Tensor mine = torch::empty({placement.held(rank), dim}, torch::kFloat);
  std::int64_t filled = 0;
  for (std::int64_t begin = 0; begin < placement.rows;) {
    const bool last = placement.rows - begin < 2 * piece;
    const std::int64_t end = last ? placement.rows : begin + piece;
    const torch::Tensor rows = normal_rows(begin, end, dim, generator);
    if (placement.whole) {
      if (rank == placement.start) mine.slice(0, begin, end).copy_(rows);
    } else {
      const std::int64_t stride = placement.stride();
      const std::int64_t first = ((placement.first(rank) - begin) % stride + stride) % stride;
      if (first < end - begin) {
        const torch::Tensor own = rows.slice(0, first, end - begin, stride);
        mine.slice(0, filled, filled + own.size(0)).copy_(own);
        filled += own.size(0);
      }
    }
    begin = end;
  }
  return mine;
}

}  // namespace

EmbeddingTables::EmbeddingTables(const std::vector<EmbeddingTableShape>& shapes, std::uint64_t seed,
                                 torch::TensorOptions options, std::shared_ptr<ProcessGroup> ranks,
                                 std::int64_t whole_below)
    : shapes_(shapes),
      placements_(place_tables(shapes, ranks ? ranks->size() : 1, whole_below)),
      device_(options.device()) {
  // Rows on their way from and to other processes are in the memory of the machine, and stay there.
  if (ranks) options = options.device(torch::kCPU);
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(mix64(seed ^ mix64(t)));
    const torch::Tensor weight =
        ranks ? first_rows(placements_[t], ranks->rank(), shapes[t].dim, generator)
              : normal_rows(0, shapes[t].rows, shapes[t].dim, generator);
    weights_.push_back(weight.to(options));
    accumulators_.push_back(torch::zeros({weight.size(0)}, options));
  }
  if (ranks) exchange_ = std::make_shared<RowExchange>(std::move(ranks), placements_);
}

torch::Tensor EmbeddingTables::whole(std::size_t t) const {
  if (!exchange_) return weights_[t];
  const torch::NoGradGuard no_grad;
  ProcessGroup& ranks = *exchange_->ranks();
  const TablePlacement& placement = placements_[t];
  if (!ranks.is_first()) {
    if (placement.held(ranks.rank()) > 0) ranks.send(weights_[t].contiguous(), 0);
    return {};
  }
  torch::Tensor all = at::empty({placement.rows, shapes_[t].dim}, weights_[t].options());
  for (int rank = 0; rank < ranks.size(); ++rank) {
    const std::int64_t held = placement.held(rank);
    if (held == 0) continue;
    torch::Tensor rows = weights_[t];
    if (rank > 0) {
      rows = at::empty({held, shapes_[t].dim}, weights_[t].options());
      ranks.receive(rows, rank);
    }
    all.slice(0, placement.first(rank), placement.rows, placement.stride()).copy_(rows);
  }
  return all;
}

std::vector<torch::Tensor> EmbeddingTables::gather(const RowBatch& batch, bool train) const {
  const torch::NoGradGuard no_grad;
  if (exchange_) {
    std::vector<torch::Tensor> rows = exchange_->pull(batch, weights_);
    for (torch::Tensor& leaf : rows) leaf = leaf.to(device_).set_requires_grad(train);
    return rows;
  }
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
  if (exchange_) {
    const auto updates = exchange_->push(gradients_of(leaves));
    for (std::size_t t = 0; t < weights_.size(); ++t) {
      adagrad(weights_[t], accumulators_[t], updates[t].rows, updates[t].gradient, rate);
    }
    return;
  }
  for (std::size_t t = 0; t < weights_.size(); ++t) {
    if (!leaves[t].grad().defined() || batch.table_rows[t].empty()) continue;
    const torch::Tensor gradient = leaves[t].grad().contiguous();
    if (weights_[t].device().is_cpu()) {
      adagrad(weights_[t], accumulators_[t], batch.table_rows[t], gradient, rate);
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
  if (exchange_) {
    const auto updates = exchange_->push(gradients_of(leaves));
    for (std::size_t t = 0; t < weights_.size(); ++t) {
      const auto index = torch::tensor(updates[t].rows, torch::kLong);
      weights_[t].index_add_(0, index, updates[t].gradient, -rate);
    }
    return;
  }
  for (std::size_t t = 0; t < weights_.size(); ++t) {
    if (!leaves[t].grad().defined() || batch.table_rows[t].empty()) continue;
    const auto index = torch::tensor(batch.table_rows[t], torch::kLong).to(weights_[t].device());
    weights_[t].index_add_(0, index, leaves[t].grad(), -rate);
  }
}

}  // namespace limber
