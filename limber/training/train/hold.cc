#include "limber/training/train/hold.h"

#include "limber/core/base/error.h"

namespace limber {
namespace {

using torch::Tensor;

/// `tensor` with rows of zeros behind, as many as `current` has more.
Tensor grown(const Tensor& tensor, const Tensor& current, const std::string& name) {
  if (tensor.sizes() == current.sizes()) return tensor;
  if (tensor.dim() != 2 || current.dim() != 2 || tensor.size(1) != current.size(1) ||
      tensor.size(0) > current.size(0)) {
    throw Error("tensor {} does not have the shape of what it holds", name);
  }
  return torch::cat(
      {tensor, torch::zeros({current.size(0) - tensor.size(0), tensor.size(1)}, tensor.options())});
}

}  // namespace

Hold::Parabola Hold::join(const Tensor& current, const std::string& name,
                          const std::vector<Term>& terms) {
  Tensor stiffness = torch::zeros_like(current, torch::kDouble);
  Tensor pull = torch::zeros_like(stiffness);
  for (const Term& term : terms) {
    const auto fisher = term.fisher.find(name);
    const auto weights = term.weights.find(name);
    if (fisher == term.fisher.end() || weights == term.weights.end()) continue;
    const Tensor part = term.strength * grown(fisher->second.to(stiffness), current, name);
    stiffness.add_(part);
    pull.addcmul_(part, grown(weights->second.to(stiffness), current, name));
  }
  const Tensor centre =
      torch::where(stiffness > 0, pull / stiffness, current.to(stiffness.options()));
  return {stiffness.to(current.options()), centre.to(current.options())};
}

Hold::Hold(const RankingModel& model, const std::vector<Term>& terms) {
  const torch::NoGradGuard no_grad;
  for (const auto& item : model->named_parameters()) {
    parameters_.push_back(join(item.value().detach(), item.key(), terms));
  }
  for (std::size_t t = 0; t < model->tables.weights().size(); ++t) {
    const std::string name = "tables." + model->tables.shapes()[t].name;
    tables_.push_back(join(model->tables.weights()[t], name, terms));
  }
}

void Hold::count_touches(const EpisodeSampler& epoch, const Dataset& dataset) {
  std::vector<std::vector<float>> touches;
  for (const Parabola& table : tables_) {
    touches.emplace_back(static_cast<std::size_t>(table.stiffness.size(0)), 0.0F);
  }
  BatchMaker maker(dataset);
  TaskBatch batch;
  for (std::int64_t i = 0; i < epoch.batches(); ++i) {
    gather_episode(epoch.plan(i), maker, batch);
    for (std::size_t t = 0; t < touches.size(); ++t) {
      for (const std::int64_t row : batch.rows.table_rows[t]) {
        ++touches[t][static_cast<std::size_t>(row)];
      }
    }
  }
  steps_per_touch_.clear();
  for (std::size_t t = 0; t < touches.size(); ++t) {
    const Tensor counted = torch::tensor(touches[t]).clamp_min(1);
    steps_per_touch_.push_back(
        (static_cast<double>(epoch.batches()) / counted).to(tables_[t].stiffness.options()));
  }
}

void Hold::add_gradients(RankingModel& model, const RowBatch& batch,
                         std::vector<Tensor>& table_rows) const {
  if (empty()) return;
  const torch::NoGradGuard no_grad;
  const auto add = [](Tensor& weight, const Tensor& gradient) {
    if (weight.grad().defined()) {
      weight.mutable_grad().add_(gradient);
    } else {
      weight.mutable_grad() = gradient;
    }
  };
  std::vector<Tensor> parameters = model->parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    add(parameters[p], parameters_[p].stiffness * (parameters[p] - parameters_[p].centre));
  }
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    if (batch.table_rows[t].empty()) continue;
    const Tensor index =
        torch::tensor(batch.table_rows[t], torch::kLong).to(table_rows[t].device());
    Tensor stiffness = tables_[t].stiffness.index_select(0, index);
    if (!steps_per_touch_.empty()) {
      stiffness.mul_(steps_per_touch_[t].index_select(0, index).unsqueeze(1));
    }
    add(table_rows[t], stiffness * (table_rows[t] - tables_[t].centre.index_select(0, index)));
  }
}

double Hold::value(const RankingModel& model) const {
  if (empty()) return 0;
  const torch::NoGradGuard no_grad;
  double sum = 0;
  const auto add = [&](const Tensor& weight, const Parabola& parabola) {
    sum += (parabola.stiffness * (weight - parabola.centre).square()).sum().item<double>() / 2;
  };
  const std::vector<Tensor> parameters = model->parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) add(parameters[p], parameters_[p]);
  for (std::size_t t = 0; t < tables_.size(); ++t) add(model->tables.weights()[t], tables_[t]);
  return sum;
}

NamedTensors Hold::stiffness(const RankingModel& model) const {
  NamedTensors all;
  if (empty()) return all;
  const auto items = model->named_parameters();
  for (std::size_t p = 0; p < items.size(); ++p) {
    all[items[p].key()] = parameters_[p].stiffness.cpu();
  }
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    all["tables." + model->tables.shapes()[t].name] = tables_[t].stiffness.cpu();
  }
  return all;
}

}  // namespace limber
