#include "limber/training/distributed/row_exchange.h"

#include <algorithm>
#include <cstring>

#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"

namespace limber {
namespace {

using torch::Tensor;
using Counts = std::vector<std::int64_t>;

/// The sums of each process's counts.
Counts by_rank(const Counts& counts, std::size_t tables) {
  Counts sums;
  for (std::size_t at = 0; at < counts.size(); at += tables) {
    std::int64_t sum = 0;
    for (std::size_t t = 0; t < tables; ++t) sum += counts[at + t];
    sums.push_back(sum);
  }
  return sums;
}

std::byte* bytes(const Tensor& tensor) {
  return static_cast<std::byte*>(tensor.data_ptr());
}

/// Gradients of one table from all processes, in their order.
struct Received {
  std::int64_t place;  ///< of the row
  std::int64_t order;  ///< in which it came
  std::int64_t value;  ///< where its gradient begins
};

template <class T>
void add_up(const std::vector<Received>& sorted, const T* values, std::int64_t dim,
            RowExchange::Update& update, T* sums) {
  for (const Received& one : sorted) {
    const T* from = values + one.value;
    if (update.rows.empty() || update.rows.back() != one.place) {
      T* to = sums + static_cast<std::int64_t>(update.rows.size()) * dim;
      std::copy_n(from, dim, to);
      update.rows.push_back(one.place);
    } else {
      T* to = sums + (static_cast<std::int64_t>(update.rows.size()) - 1) * dim;
      for (std::int64_t c = 0; c < dim; ++c) to[c] += from[c];
    }
  }
}

}  // namespace

Counts RowExchange::values_of(const Counts& counts) const {
  const std::size_t tables = placements_.size();
  Counts values;
  for (std::size_t at = 0; at < counts.size(); at += tables) {
    std::int64_t sum = 0;
    for (std::size_t t = 0; t < tables; ++t) sum += counts[at + t] * dims_[t];
    values.push_back(sum);
  }
  return values;
}

void RowExchange::ask_for(const RowBatch& batch) {
  const std::size_t tables = placements_.size();
  const auto ranks = static_cast<std::size_t>(ranks_->size());
  asked_.assign(ranks * tables, 0);
  used_.assign(tables, 0);
  for (std::size_t t = 0; t < tables; ++t) {
    used_[t] = static_cast<std::int64_t>(batch.table_rows[t].size());
    for (const std::int64_t row : batch.table_rows[t]) {
      ++count(asked_, placements_[t].owner(row), t);
    }
  }
  Counts next(asked_.size(), 0);
  for (std::size_t at = 1; at < next.size(); ++at) next[at] = next[at - 1] + asked_[at - 1];
  const std::int64_t all = next.empty() ? 0 : next.back() + asked_.back();
  positions_.resize(static_cast<std::size_t>(all));
  const Tensor places = at::empty({all}, torch::kLong);
  auto* place = places.mutable_data_ptr<std::int64_t>();
  for (std::size_t t = 0; t < tables; ++t) {
    const auto& rows = batch.table_rows[t];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int64_t at = count(next, placements_[t].owner(rows[i]), t)++;
      positions_[static_cast<std::size_t>(at)] = static_cast<std::int64_t>(i);
      place[at] = placements_[t].place(rows[i]);
    }
  }
  const Counts evenly(ranks, static_cast<std::int64_t>(tables));
  const Tensor others = ranks_->all_to_all(torch::tensor(asked_, torch::kLong), evenly, evenly);
  given_.assign(others.const_data_ptr<std::int64_t>(),
                others.const_data_ptr<std::int64_t>() + others.numel());
  given_places_ = ranks_->all_to_all(places, by_rank(asked_, tables), by_rank(given_, tables));
}

std::vector<Tensor> RowExchange::pull(const RowBatch& batch, const std::vector<Tensor>& shards) {
  const Stopwatch watch;
  const std::size_t tables = placements_.size();
  dims_.clear();
  for (const Tensor& shard : shards) dims_.push_back(shard.size(1));
  ask_for(batch);

  const Counts give = values_of(given_), get = values_of(asked_);
  if (!shards.empty()) options_ = shards[0].options();
  const torch::TensorOptions options = options_;
  std::int64_t values = 0;
  for (const std::int64_t of_rank : give) values += of_rank;
  const Tensor out = at::empty({values}, options);
  const auto size = static_cast<std::size_t>(out.element_size());
  const auto* place = given_places_.const_data_ptr<std::int64_t>();
  std::byte* to = bytes(out);
  for (std::size_t at = 0; at < given_.size(); ++at) {
    const std::size_t t = at % tables;
    const std::size_t width = static_cast<std::size_t>(dims_[t]) * size;
    const std::byte* from = bytes(shards[t]);
    for (std::int64_t i = 0; i < given_[at]; ++i, ++place, to += width) {
      if (*place < 0 || *place >= shards[t].size(0)) {
        throw Error("another process asks for row {} of a table of {}: its data are others", *place,
                    shards[t].size(0));
      }
      std::memcpy(to, from + static_cast<std::size_t>(*place) * width, width);
    }
  }
  const Tensor in = ranks_->all_to_all(out, give, get);

  std::vector<Tensor> rows;
  for (std::size_t t = 0; t < tables; ++t) {
    rows.push_back(at::empty({used_[t], dims_[t]}, options));
  }
  const std::byte* from = bytes(in);
  const std::int64_t* position = positions_.data();
  for (std::size_t at = 0; at < asked_.size(); ++at) {
    const std::size_t t = at % tables;
    const std::size_t width = static_cast<std::size_t>(dims_[t]) * size;
    std::byte* table = bytes(rows[t]);
    for (std::int64_t i = 0; i < asked_[at]; ++i, from += width) {
      std::memcpy(table + static_cast<std::size_t>(*position++) * width, from, width);
    }
  }
  pull_seconds_ += watch.seconds();
  return rows;
}

std::vector<RowExchange::Update> RowExchange::push(const std::vector<Tensor>& gradients) {
  const Stopwatch watch;
  const std::size_t tables = placements_.size();
  const Counts send = values_of(asked_), receive = values_of(given_);
  const torch::TensorOptions options = options_;
  std::vector<Tensor> defined;
  for (std::size_t t = 0; t < tables; ++t) {
    defined.push_back(gradients[t].defined() ? gradients[t].contiguous()
                                             : at::zeros({used_[t], dims_[t]}, options));
  }
  std::int64_t values = 0;
  for (const std::int64_t of_rank : send) values += of_rank;
  const Tensor out = at::empty({values}, options);
  const auto size = static_cast<std::size_t>(out.element_size());
  std::byte* to = bytes(out);
  const std::int64_t* position = positions_.data();
  for (std::size_t at = 0; at < asked_.size(); ++at) {
    const std::size_t t = at % tables;
    const std::size_t width = static_cast<std::size_t>(dims_[t]) * size;
    const std::byte* from = bytes(defined[t]);
    for (std::int64_t i = 0; i < asked_[at]; ++i, to += width) {
      std::memcpy(to, from + static_cast<std::size_t>(*position++) * width, width);
    }
  }
  const Tensor in = ranks_->all_to_all(out, send, receive);

  std::vector<std::vector<Received>> by_table(tables);
  const auto* place = given_places_.const_data_ptr<std::int64_t>();
  std::int64_t value = 0, order = 0;
  for (std::size_t at = 0; at < given_.size(); ++at) {
    const std::size_t t = at % tables;
    for (std::int64_t i = 0; i < given_[at]; ++i, value += dims_[t]) {
      by_table[t].push_back({*place++, order++, value});
    }
  }
  std::vector<Update> updates(tables);
  for (std::size_t t = 0; t < tables; ++t) {
    auto& received = by_table[t];
    std::ranges::sort(received, [](const Received& a, const Received& b) {
      return a.place != b.place ? a.place < b.place : a.order < b.order;
    });
    Tensor sums = at::empty({static_cast<std::int64_t>(received.size()), dims_[t]}, options);
    if (sums.scalar_type() == torch::kDouble) {
      add_up(received, in.const_data_ptr<double>(), dims_[t], updates[t],
             sums.mutable_data_ptr<double>());
    } else {
      add_up(received, in.const_data_ptr<float>(), dims_[t], updates[t],
             sums.mutable_data_ptr<float>());
    }
    updates[t].gradient = sums.narrow(0, 0, static_cast<std::int64_t>(updates[t].rows.size()));
  }
  push_seconds_ += watch.seconds();
  return updates;
}

}  // namespace limber
