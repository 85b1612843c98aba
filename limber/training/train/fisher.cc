#include "limber/training/train/fisher.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/base/random.h"
#include "limber/core/data/task_batch.h"
#include "limber/training/layers/gemm.h"
#include "limber/training/layers/parallel.h"
#include "limber/training/meta/episode.h"
#include "limber/training/train/label_weights.h"
#include "limber/training/train/training_sampler.h"

namespace limber {
namespace {

using torch::Tensor;

/// The rows that are looked at, in groups that share one forward pass: query rows of some members
/// with their supports, or single rows of a model without support.
class ExampleGroups {
 public:
  /// At most `most` groups.
  ExampleGroups(const RankingModel& model, const Dataset& dataset, const Config& config,
                std::int64_t rows, std::int64_t most)
      : dataset_(dataset) {
    before_ = {0};
    if (model->uses_support()) {
      TaskSampler::Options options = task_sampler_options(config);
      options.tasks_per_batch = 1;
      const std::int64_t tasks = TaskSampler(dataset, options, 0).batches();
      options.tasks_per_batch = std::max<std::int64_t>(1, (tasks + most - 1) / most);
      // An epoch that training does not reach: supports of its own.
      tasks_.emplace(dataset, options, config.train.epochs);
      for (std::int64_t i = 0; i < tasks_->batches(); ++i) {
        before_.push_back(before_.back() + static_cast<std::int64_t>(tasks_->plan(i).query.size()));
      }
    } else {
      for (const TaskRows& task : dataset.tasks) {
        before_.push_back(before_.back() + task.train_end - task.begin);
      }
    }
    chosen_ = std::min(rows, before_.back());
    size_ = tasks_ ? tasks_->batches() : std::min(chosen_, most);
  }

  std::int64_t rows() const { return chosen_; }
  std::int64_t size() const { return size_; }

  /// Without query rows where none of the group is chosen.
  EpisodePlan plan(std::int64_t group) const { return tasks_ ? members(group) : singles(group); }

 private:
  EpisodePlan singles(std::int64_t group) const {
    EpisodePlan plan;
    // A member's rows go to different groups: what only they touch is then exact.
    for (std::int64_t i = group; i < chosen_; i += size_) {
      const std::int64_t row = chosen_at(i);
      const auto task = std::upper_bound(before_.begin(), before_.end(), row) - before_.begin() - 1;
      const auto at = static_cast<std::size_t>(task);
      plan.query.push_back(dataset_.tasks[at].begin + row - before_[at]);
    }
    return plan;
  }

  EpisodePlan members(std::int64_t group) const {
    const EpisodePlan all = tasks_->plan(group);
    const std::int64_t first = before_[static_cast<std::size_t>(group)];
    EpisodePlan plan;
    for (std::size_t t = 0; t < all.tasks.size(); ++t) {
      const std::size_t before = plan.query.size();
      for (std::int64_t q = all.query_offsets[t]; q < all.query_offsets[t + 1]; ++q) {
        if (chosen_before(first + q + 1) == chosen_before(first + q)) continue;
        plan.query.push_back(all.query[static_cast<std::size_t>(q)]);
      }
      if (plan.query.size() == before) continue;
      plan.support.insert(plan.support.end(), all.support.begin() + all.support_offsets[t],
                          all.support.begin() + all.support_offsets[t + 1]);
      plan.close_task(all.tasks[t]);
    }
    return plan;
  }

  /// How many of the rows before `row` are chosen.
  std::int64_t chosen_before(std::int64_t row) const { return row * chosen_ / before_.back(); }
  /// The row that is chosen as number `i`: the first with chosen_before(row + 1) > i.
  std::int64_t chosen_at(std::int64_t i) const {
    return ((i + 1) * before_.back() + chosen_ - 1) / chosen_ - 1;
  }

  const Dataset& dataset_;
  std::optional<TaskSampler> tasks_;
  std::vector<std::int64_t> before_;  ///< rows before each group of members, or each member
  std::int64_t chosen_ = 0, size_ = 0;
};

/// Squared gradients, summed over rows.
struct Sums {
  struct Rows {
    std::size_t table;
    std::vector<std::int64_t> rows;
    Tensor squares;  ///< [rows, dim]
  };
  std::vector<Tensor> dense;  ///< by parameter
  std::vector<Rows> tables;
  double examples = 0;
};

/// What each backward pass multiplies the rows' losses by, [passes, rows]: 1 for its own row and 0
/// for the others where there are passes enough, else random signs.
Tensor pass_factors(std::int64_t rows, std::int64_t passes, std::uint64_t seed) {
  if (rows <= passes) return torch::eye(rows, torch::kDouble);
  Tensor factors = torch::empty({passes, rows}, torch::kDouble);
  Random random(seed);
  double* values = factors.mutable_data_ptr<double>();
  // A share of 1 / passes of each square: the passes are averaged.
  const double size = 1 / std::sqrt(static_cast<double>(passes));
  for (std::int64_t i = 0; i < passes * rows; ++i) values[i] = random.below(2) == 0 ? size : -size;
  return factors;
}

/// Adds the query rows of a batch, in that many backward passes at most.
void add_group(RankingModel& model, const std::vector<Tensor>& parameters, const TaskBatch& batch,
               const EpisodeOptions& options, std::int64_t passes, std::uint64_t seed, Sums& sums) {
  const torch::AutoGradMode recording(true);
  const SerialBlas serial;
  const Episode episode = run_episode(model, batch, options);
  Tensor present = torch::isnan(episode.query_labels).logical_not().to(model->tensor);
  if (options.label_weights.defined()) present = present * options.label_weights;
  const Tensor known = torch::nan_to_num(episode.query_labels);
  const Tensor losses = torch::softplus(episode.query_logits) - known * episode.query_logits;
  const Tensor by_row = (losses * present).sum(1);
  Tensor weights = torch::ones_like(by_row).detach();
  if (episode.query_weights.defined()) weights = episode.query_weights.squeeze(1);
  sums.examples += (weights * present.sum(1)).sum().item<double>();
  // The square of a factor is what the row's squared gradient counts.
  const Tensor factors =
      pass_factors(by_row.size(0), passes, seed).to(model->tensor) * weights.sqrt();

  std::vector<Tensor> wanted = parameters;
  wanted.insert(wanted.end(), episode.table_rows.begin(), episode.table_rows.end());
  std::vector<Tensor> squares(episode.table_rows.size());
  for (std::int64_t pass = 0; pass < factors.size(0); ++pass) {
    const auto gradients = torch::autograd::grad({by_row}, wanted, {factors[pass]},
                                                 /*retain_graph=*/pass + 1 < factors.size(0),
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const Tensor& gradient = gradients[i];
      if (!gradient.defined()) continue;
      Tensor& sum = i < parameters.size() ? sums.dense[i] : squares[i - parameters.size()];
      if (!sum.defined()) sum = torch::zeros_like(gradient);
      sum.addcmul_(gradient, gradient);
    }
  }
  for (std::size_t t = 0; t < squares.size(); ++t) {
    if (squares[t].defined() && squares[t].numel() > 0) {
      sums.tables.push_back({t, batch.rows.table_rows[t], squares[t]});
    }
  }
}

/// Groups that one thread works on between two looks at the signals.
constexpr std::int64_t groups_per_share = 16;

}  // namespace

double training_examples(const Dataset& dataset, const Tensor& label_weights) {
  const std::size_t labels = dataset.layout.labels.size();
  std::vector<double> of_label(labels, 1);
  if (label_weights.defined()) {
    for (std::size_t l = 0; l < labels; ++l) {
      of_label[l] = label_weights[static_cast<std::int64_t>(l)].item<double>();
    }
  }
  double examples = 0;
  for (const TaskRows& task : dataset.tasks) {
    for (std::int64_t row = task.begin; row < task.train_end; ++row) {
      for (std::size_t l = 0; l < labels; ++l) {
        if (!std::isnan(dataset.label(row, l))) examples += dataset.weight(row) * of_label[l];
      }
    }
  }
  return examples;
}

std::optional<Fisher> empirical_fisher(RankingModel& model, const Dataset& dataset,
                                       const Config& config, std::int64_t rows,
                                       std::int64_t passes) {
  const bool was_training = model->is_training();
  model->eval();
  EpisodeOptions options;
  options.train = true;
  options.second_order = config.meta.order == "second";
  options.steps = config.meta.inner_steps;
  options.label_weights = label_weights(config.train, model);
  const ExampleGroups groups(model, dataset, config, rows, passes);
  const std::int64_t passes_per_group =
      (passes + groups.size() - 1) / std::max<std::int64_t>(groups.size(), 1);
  const std::vector<Tensor> parameters = model->parameters();

  std::vector<Tensor> dense, tables;
  for (const Tensor& parameter : parameters) dense.push_back(torch::zeros_like(parameter.detach()));
  for (const Tensor& table : model->tables.weights()) tables.push_back(torch::zeros_like(table));
  const std::int64_t threads = model->tensor.device().is_cpu() ? at::get_num_threads() : 1;
  std::vector<BatchMaker> makers;
  for (std::int64_t w = 0; w < threads; ++w) makers.emplace_back(dataset);
  double examples = 0;
  bool stopped = false;
  Progress progress("Fisher information", static_cast<std::uint64_t>(groups.size()), "passes");
  for (std::int64_t begin = 0; begin < groups.size() && !stopped;) {
    const std::int64_t end = std::min(groups.size(), begin + threads * groups_per_share);
    std::vector<Sums> shares(static_cast<std::size_t>(threads));
    at::parallel_for(0, threads, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t w = first; w < last; ++w) {
        Sums& sums = shares[static_cast<std::size_t>(w)];
        sums.dense.resize(parameters.size());
        TaskBatch batch;
        const std::int64_t own_end = begin + (end - begin) * (w + 1) / threads;
        for (std::int64_t g = begin + (end - begin) * w / threads; g < own_end; ++g) {
          const EpisodePlan plan = groups.plan(g);
          if (plan.query.empty()) continue;
          gather_episode(plan, makers[static_cast<std::size_t>(w)], batch);
          add_group(model, parameters, batch, options, passes_per_group,
                    mix64(config.train.seed ^ mix64(static_cast<std::uint64_t>(g))), sums);
        }
      }
    });
    // In a fixed order, so that the same number of threads gives the same bits.
    const torch::NoGradGuard no_grad;
    for (const Sums& share : shares) {
      examples += share.examples;
      for (std::size_t p = 0; p < parameters.size(); ++p) {
        if (share.dense[p].defined()) dense[p].add_(share.dense[p]);
      }
      for (const Sums::Rows& part : share.tables) {
        const Tensor index = torch::tensor(part.rows, torch::kLong).to(tables[part.table].device());
        tables[part.table].index_add_(0, index, part.squares);
      }
    }
    progress.add(static_cast<std::uint64_t>(end - begin));
    begin = end;
    stopped = stop_requested() && begin < groups.size();
  }
  progress.finish();
  model->train(was_training);
  if (stopped) return std::nullopt;

  Fisher fisher;
  fisher.rows = groups.rows();
  fisher.examples = training_examples(dataset, options.label_weights);
  const double scale = 1 / std::max(examples, 1e-12);
  const auto items = model->named_parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    fisher.tensors[items[p].key()] = dense[p].mul_(scale).cpu();
  }
  for (std::size_t t = 0; t < tables.size(); ++t) {
    fisher.tensors["tables." + model->tables.shapes()[t].name] = tables[t].mul_(scale).cpu();
  }
  return fisher;
}

}  // namespace limber
