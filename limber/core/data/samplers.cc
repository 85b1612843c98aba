#include "limber/core/data/samplers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "limber/core/base/random.h"

namespace limber {
namespace {

std::uint64_t seed_of(std::uint64_t seed, std::int64_t epoch, std::uint64_t purpose) {
  return mix64(seed ^ mix64(static_cast<std::uint64_t>(epoch) ^ mix64(purpose)));
}

/// A support size n <= most: log(1 + n) uniform, or n itself.
std::int64_t draw_support(Random& random, const std::string& sizes, std::int64_t most) {
  if (sizes == "uniform" || (sizes == "mixed" && random.below(2) == 0)) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most) + 1));
  }
  const double n = std::exp(random.uniform() * std::log(static_cast<double>(most) + 2.0)) - 1.0;
  return std::min(most, static_cast<std::int64_t>(n));
}

/// A pseudo-random permutation of {0, ..., size - 1}, by a four-round Feistel network on the next
/// even power of two, walked until it lands inside.
class Permutation {
 public:
  Permutation(std::uint64_t size, std::uint64_t seed) : size_(size), seed_(seed) {
    while ((1ULL << (2 * half_)) < size) ++half_;
  }
  std::uint64_t operator()(std::uint64_t value) const {
    do {
      value = rounds(value);
    } while (value >= size_);
    return value;
  }

 private:
  std::uint64_t rounds(std::uint64_t value) const {
    const std::uint64_t mask = (1ULL << half_) - 1;
    std::uint64_t left = value >> half_, right = value & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t mixed = left ^ (mix64(right ^ mix64(seed_ + round)) & mask);
      left = right;
      right = mixed;
    }
    return (left << half_) | right;
  }
  std::uint64_t size_, seed_;
  int half_ = 1;
};

}  // namespace

TaskSampler::TaskSampler(const Dataset& dataset, Options options, std::int64_t epoch)
    : dataset_(dataset), options_(options), epoch_seed_(seed_of(options.seed, epoch, 1)) {
  for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
    const TaskRows& task = dataset.tasks[t];
    if (task.train_end - task.begin >= 2) order_.push_back(static_cast<std::int32_t>(t));
  }
  Random(epoch_seed_).shuffle(std::span(order_));
}

std::int64_t TaskSampler::batches() const {
  const auto tasks = static_cast<std::int64_t>(order_.size());
  return (tasks + options_.tasks_per_batch - 1) / options_.tasks_per_batch;
}

EpisodePlan TaskSampler::plan(std::int64_t i) const {
  EpisodePlan plan;
  Random random(mix64(epoch_seed_ + static_cast<std::uint64_t>(i) + 1));
  const std::int64_t begin = i * options_.tasks_per_batch;
  const std::int64_t end =
      std::min(begin + options_.tasks_per_batch, static_cast<std::int64_t>(order_.size()));
  std::vector<std::int64_t> rows;
  for (std::int64_t at = begin; at < end; ++at) {
    const std::int64_t t = order_[static_cast<std::size_t>(at)];
    const TaskRows& task = dataset_.tasks[static_cast<std::size_t>(t)];
    const std::int64_t count = task.train_end - task.begin;
    const std::int64_t support =
        draw_support(random, options_.support_sizes, std::min(options_.support, count - 1));
    const std::int64_t query = std::min(options_.query, count - support);
    if (dataset_.ordered_by_time()) {
      // A moment in the member's past: what came before is support, what came next is query.
      const std::int64_t slack = count - support - query;
      const std::int64_t start =
          task.begin +
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(slack) + 1));
      for (std::int64_t r = 0; r < support; ++r) plan.support.push_back(start + r);
      for (std::int64_t r = 0; r < query; ++r) plan.query.push_back(start + support + r);
    } else {
      rows.resize(static_cast<std::size_t>(count));
      std::iota(rows.begin(), rows.end(), task.begin);
      // The first support + query places of a Fisher-Yates shuffle.
      for (std::int64_t r = 0; r < support + query; ++r) {
        const auto other =
            r + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(count - r)));
        std::swap(rows[static_cast<std::size_t>(r)], rows[static_cast<std::size_t>(other)]);
      }
      plan.support.insert(plan.support.end(), rows.begin(), rows.begin() + support);
      plan.query.insert(plan.query.end(), rows.begin() + support, rows.begin() + support + query);
    }
    plan.close_task(t);
  }
  return plan;
}

RowSampler::RowSampler(const Dataset& dataset, std::int64_t batch, std::uint64_t seed,
                       std::int64_t epoch)
    : dataset_(dataset), batch_(batch), epoch_seed_(seed_of(seed, epoch, 2)) {
  train_before_.reserve(dataset.tasks.size() + 1);
  for (const TaskRows& task : dataset.tasks) {
    train_before_.push_back(rows_);
    rows_ += task.train_end - task.begin;
  }
  train_before_.push_back(rows_);
}

std::int64_t RowSampler::batches() const {
  return (rows_ + batch_ - 1) / batch_;
}

void RowSampler::fill_window(std::int64_t window) const {
  const std::int64_t blocks = (rows_ + block - 1) / block;
  const std::int64_t window_rows = window_batches * batch_;
  const std::int64_t first_row = window * window_rows;
  const std::int64_t last_row = std::min(rows_, first_row + window_rows);
  const Permutation permutation(static_cast<std::uint64_t>(blocks), epoch_seed_);
  window_rows_.clear();
  // Position p of the epoch is row p % block of block permutation(p / block). The short last block
  // is moved to the end of the epoch so that positions stay dense.
  const std::int64_t short_block = blocks - 1;
  std::int64_t task = -1;
  for (std::int64_t position = first_row; position < last_row; ++position) {
    std::int64_t at = position / block;
    if (at == blocks - 1) {
      at = short_block;
    } else {
      at = static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(at)));
      // The place whose image is the short block takes the image of the last place instead.
      if (at == short_block) {
        at = static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(blocks - 1)));
      }
    }
    const std::int64_t ordinal = at * block + position % block;
    const auto seek = [&] {
      const auto place = std::upper_bound(train_before_.begin(), train_before_.end(), ordinal);
      task = place - train_before_.begin() - 1;
    };
    if (task < 0 || ordinal < train_before_[static_cast<std::size_t>(task)] ||
        ordinal >= train_before_[static_cast<std::size_t>(task) + 1]) {
      seek();
    }
    const auto t = static_cast<std::size_t>(task);
    window_rows_.push_back(dataset_.tasks[t].begin + ordinal - train_before_[t]);
  }
  Random(mix64(epoch_seed_ ^ mix64(static_cast<std::uint64_t>(window))))
      .shuffle(std::span(window_rows_));
  filled_ = window;
}

EpisodePlan RowSampler::plan(std::int64_t i) const {
  if (i / window_batches != filled_) fill_window(i / window_batches);
  const std::int64_t begin = i % window_batches * batch_;
  const std::int64_t end = std::min(begin + batch_, static_cast<std::int64_t>(window_rows_.size()));
  EpisodePlan plan;
  plan.query.assign(window_rows_.begin() + begin, window_rows_.begin() + end);
  return plan;
}

EvaluationSampler::Rows EvaluationSampler::rows_of(std::int64_t t) const {
  const TaskRows& task = dataset_.tasks[static_cast<std::size_t>(t)];
  Rows rows{};
  if (dataset_.split_by_member) {
    if (dataset_.part_of(task) != options_.part) return rows;
    const std::int64_t half = (task.end - task.begin) / 2;
    rows.support_end = task.begin + std::min(half, options_.support_limit);
    rows.support_begin = task.begin;
    rows.query_begin = rows.support_end;
    rows.query_end = task.end;
  } else {
    const bool validation = options_.part == Part::validation;
    rows.query_begin = validation ? task.train_end : task.validation_end;
    rows.query_end = validation ? task.validation_end : task.end;
    rows.support_end = rows.query_begin;
    rows.support_begin = std::max(task.begin, rows.support_end - options_.support_limit);
  }
  rows.support_begin = std::max(rows.support_begin, rows.support_end - options_.support);
  return rows;
}

EvaluationSampler::EvaluationSampler(const Dataset& dataset, Options options)
    : dataset_(dataset), options_(options), starts_{0} {
  std::int64_t in_batch = 0;
  for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
    const Rows rows = rows_of(static_cast<std::int64_t>(t));
    const std::int64_t query = rows.query_end - rows.query_begin;
    if (query <= 0) continue;
    const std::int64_t all = query + rows.support_end - rows.support_begin;
    if (in_batch > 0 && in_batch + all > options.rows_per_batch) {
      starts_.push_back(tasks_.size());
      in_batch = 0;
    }
    tasks_.push_back(static_cast<std::int64_t>(t));
    in_batch += all;
    query_rows_ += query;
  }
  if (!tasks_.empty()) starts_.push_back(tasks_.size());
}

EpisodePlan EvaluationSampler::plan(std::int64_t i) const {
  EpisodePlan plan;
  for (std::size_t at = starts_[static_cast<std::size_t>(i)];
       at < starts_[static_cast<std::size_t>(i) + 1]; ++at) {
    const Rows rows = rows_of(tasks_[at]);
    for (std::int64_t row = rows.support_begin; row < rows.support_end; ++row) {
      plan.support.push_back(row);
    }
    for (std::int64_t row = rows.query_begin; row < rows.query_end; ++row)
      plan.query.push_back(row);
    plan.close_task(tasks_[at]);
  }
  return plan;
}

AdaptationSampler::AdaptationSampler(const Dataset& dataset, std::int64_t support,
                                     std::int64_t rows_per_batch)
    : dataset_(dataset), support_(support), starts_{0} {
  std::int64_t in_batch = 0;
  for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
    const std::int64_t rows = std::min(support, dataset.tasks[t].end - dataset.tasks[t].begin);
    if (in_batch > 0 && in_batch + rows > rows_per_batch) {
      starts_.push_back(t);
      in_batch = 0;
    }
    in_batch += rows;
  }
  starts_.push_back(dataset.tasks.size());
}

EpisodePlan AdaptationSampler::plan(std::int64_t i) const {
  EpisodePlan plan;
  for (std::size_t t = starts_[static_cast<std::size_t>(i)];
       t < starts_[static_cast<std::size_t>(i) + 1]; ++t) {
    const TaskRows& task = dataset_.tasks[t];
    for (std::int64_t row = std::max(task.begin, task.end - support_); row < task.end; ++row) {
      plan.support.push_back(row);
    }
    plan.close_task(static_cast<std::int64_t>(t));
  }
  return plan;
}

}  // namespace limber
