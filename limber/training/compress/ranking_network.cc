#include "limber/training/compress/ranking_network.h"

#include <map>
#include <span>

#include "limber/core/artifact/checksum.h"
#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/config/label_groups.h"
#include "limber/core/data/loader.h"
#include "limber/training/meta/outer_gradients.h"
#include "limber/training/train/label_weights.h"
#include "limber/training/train/scoring.h"
#include "limber/training/train/training_sampler.h"

namespace limber {
namespace {

constexpr std::string_view kEnding = ".weight";

/// Matrices that a vector is multiplied by: not the learned start of an embedding, the positions of
/// a sequence, or the curves of a calibration.
bool is_weight(const std::string& name, const torch::Tensor& tensor) {
  if (tensor.dim() != 2) return false;
  for (const char* ending : {".weight", "_weight", ".down", ".up", "history_start"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

std::string weight_name(const std::string& parameter) {
  return parameter.ends_with(kEnding) ? parameter.substr(0, parameter.size() - kEnding.size())
                                      : parameter;
}

/// Who reads what in the global block.
class Readers {
 public:
  Readers(const ModelOptions& model, const std::vector<std::string>& labels) {
    const GlobalBlockOptions& options = model.global_block;
    const std::string block = "global_block.";
    const std::size_t layers = options.hidden.size();
    for (std::size_t l = 0; l < layers; ++l) {
      const std::string number = std::to_string(l);
      std::vector<UnitReader>& readers = of_[block + "mlp.layer" + number];
      const std::string gate = block + "mlp.gate" + number;
      if (options.gate == "full") readers.insert(readers.end(), {{gate}, {gate, false}});
      if (options.gate == "low_rank") {
        readers.insert(readers.end(), {{gate + ".down"}, {gate + ".up", false}});
      }
      if (l + 1 < layers) readers.push_back({block + "mlp.layer" + std::to_string(l + 1)});
    }
    if (options.experts.kind == "none") {
      if (layers > 0) last(block, layers).push_back({block + "head"});
    } else {
      add_experts(options, LabelGroups(options.experts, labels), layers);
    }
    if (options.cross.kind == "low_rank") {
      for (std::int64_t l = 0; l < options.cross.layers; ++l) {
        const std::string layer = block + "cross.layer" + std::to_string(l);
        of_[layer + ".down"].push_back({layer + ".up"});
      }
    }
  }

  /// nullptr: it is not known who reads that weight's units.
  const std::vector<UnitReader>* find(const std::string& weight) const {
    const auto found = of_.find(weight);
    return found == of_.end() ? nullptr : &found->second;
  }

 private:
  std::vector<UnitReader>& last(const std::string& block, std::size_t layers) {
    return of_[block + "mlp.layer" + std::to_string(layers - 1)];
  }

  void add_experts(const GlobalBlockOptions& options, const LabelGroups& groups,
                   std::size_t layers) {
    const std::string block = "global_block.experts.";
    const std::size_t own = options.experts.hidden.size();
    const bool mixed = options.experts.kind != "groups";
    for (std::int64_t e = 0; e < groups.experts; ++e) {
      const std::string expert = block + "expert" + std::to_string(e) + ".layer";
      for (std::size_t l = 0; l + 1 < own; ++l) {
        of_[expert + std::to_string(l)].push_back({expert + std::to_string(l + 1)});
      }
      if (own > 0 && layers > 0) last("global_block.", layers).push_back({expert + "0"});
    }
    for (std::size_t g = 0; g < groups.labels.size(); ++g) {
      const std::string head = block + "head" + std::to_string(g);
      if (mixed && layers > 0) {
        last("global_block.", layers).push_back({block + "gate" + std::to_string(g)});
      }
      if (own == 0 && layers > 0) last("global_block.", layers).push_back({head});
      if (own > 0 && !mixed) {
        const std::string expert = block + "expert" + std::to_string(groups.visible[g][0]);
        of_[expert + ".layer" + std::to_string(own - 1)].push_back({head});
      }
    }
  }

  std::map<std::string, std::vector<UnitReader>> of_;
};

/// Of everything that is trained on and validated by, as it was encoded.
std::string checksum_of_rows(const Dataset& dataset) {
  Checksum checksum;
  const auto add = [&](const MappedFile& file) { checksum.add({file.data(), file.size()}); };
  for (const DataSource& source : dataset.sources) {
    for (const FeatureColumn& column : source.columns) {
      for (const MappedFile* file :
           {&column.numbers, &column.indices, &column.starts, &column.lengths, &column.values}) {
        add(*file);
      }
    }
  }
  for (const MappedFile& rows : dataset.side_rows) add(rows);
  for (const MappedFile* file : {&dataset.labels, &dataset.weights, &dataset.times}) add(*file);
  checksum.add(std::as_bytes(std::span(dataset.tasks)));
  return checksum.hex();
}

/// Experts have one list of widths, and low-rank crosses one rank: "global_block.experts.layer0".
std::string tie_of(const std::string& name) {
  const std::string expert = "global_block.experts.expert", cross = "global_block.cross.layer";
  const auto layer = name.find(".layer");
  if (name.starts_with(expert) && layer != std::string::npos) {
    return "global_block.experts" + name.substr(layer);
  }
  return name.starts_with(cross) && name.ends_with(".down") ? cross : "";
}

bool is_hidden(const std::string& name) {
  return name.starts_with("global_block.mlp.layer") ||
         (name.starts_with("global_block.experts.expert") &&
          name.find(".layer") != std::string::npos);
}

}  // namespace

std::vector<CompressibleWeight> ranking_weights(const RankingModel& model) {
  const Readers readers(model->model, model->layout.labels);
  const auto parameters = model->named_parameters();
  std::vector<CompressibleWeight> weights;
  for (const auto& item : parameters) {
    if (!is_weight(item.key(), item.value())) continue;
    CompressibleWeight& weight = weights.emplace_back();
    weight.name = weight_name(item.key());
    weight.matrix = weight.parameter = item.value();
    weight.as_matrix = [](const torch::Tensor& gradient) { return gradient; };
    weight.hidden = is_hidden(weight.name);
    weight.tied = tie_of(weight.name);
    if (const auto* found = readers.find(weight.name)) {
      weight.removable = true;
      weight.readers = *found;
      // A dense layer's unit has a bias; a column of a bottleneck has none.
      if (const auto* bias = parameters.find(weight.name + ".bias")) {
        weight.bias = weight.bias_parameter = *bias;
      }
    }
  }
  return weights;
}

std::string parameter_of_weight(const RankingModel& model, const std::string& weight) {
  for (const auto& item : model->named_parameters()) {
    if (is_weight(item.key(), item.value()) && weight_name(item.key()) == weight) return item.key();
  }
  throw Error("no weight is called {}", weight);
}

RankingNetwork::RankingNetwork(const Config& config, const Dataset& dataset, RankingModel model)
    : config_(config),
      dataset_(dataset),
      model_(std::move(model)),
      label_weights_(label_weights(config.train, model_)),
      optimizer_(model_->parameters(), config.train),
      optimizer_steps_(torch::zeros({1}, torch::kLong)),
      steps_per_epoch_(training_sampler(model_, dataset_, config_, 0)->batches()) {
  if (steps_per_epoch_ == 0) {
    throw InputError("data.task: no {} has two training rows; there is nothing to train on",
                     config.data.task);
  }
}

std::vector<CompressibleWeight> RankingNetwork::weights() {
  return ranking_weights(model_);
}

double RankingNetwork::train_epoch(const std::string& phase, std::int64_t epoch,
                                   double learning_rate, const Hooks& hooks) {
  if (epoch == 0) {
    for (torch::Tensor& moment : optimizer_.moments()) moment.zero_();
    optimizer_steps_.zero_();
  }
  optimizer_.set_steps(optimizer_steps_.item<std::int64_t>());
  EpisodeOptions options;
  options.train = true;
  options.second_order = config_.meta.order == "second";
  options.steps = config_.meta.inner_steps;
  options.label_weights = label_weights_;
  const auto sampler = training_sampler(model_, dataset_, config_, epoch);
  Loader loader(dataset_, *sampler);
  Progress progress(phase, static_cast<std::uint64_t>(sampler->batches()), "steps");
  double sum = 0, count = 0;
  model_->train();
  for (std::int64_t step = 0; hooks.keep_going(); ++step) {
    auto batch = loader.next();
    if (!batch) break;
    const OuterGradients outer = outer_gradients(model_, *batch, options);
    // What is cut is the loss's pull, not the penalty's.
    optimizer_.clip(config_.train.clip_norm);
    hooks.before_step(step);
    optimizer_.step(learning_rate);
    hooks.after_step(step);
    loader.recycle(std::move(batch));
    sum += outer.loss_sum;
    count += outer.loss_count;
    progress.note(fmt::format("loss {:.4f}", count > 0 ? sum / count : 0.0));
    progress.add(1);
  }
  progress.finish();
  model_->eval();
  optimizer_steps_[0] = optimizer_.steps();
  return count > 0 ? sum / count : 0;
}

CompressibleNetwork::Quality RankingNetwork::quality_of(Part part) {
  EvaluationSampler::Options options;
  options.part = part;
  options.support = options.support_limit = config_.meta.support;
  const QuickMetrics metrics =
      quick_metrics(score_rows(model_, dataset_, options, config_.meta.adaptation_steps));
  return {metrics.log_loss, metrics.auc};
}

std::string RankingNetwork::origin() const {
  const nlohmann::json config = config_to_json(config_);
  return fmt::format("{} {} {} rows {}", config.at("data").dump(), config.at("train").dump(),
                     config.at("meta").dump(), checksum_of_rows(dataset_));
}

CompressibleNetwork::Quality RankingNetwork::validate() {
  return quality_of(Part::validation);
}
CompressibleNetwork::Quality RankingNetwork::test() {
  return quality_of(Part::test);
}

std::vector<std::pair<std::string, torch::Tensor>> RankingNetwork::state() {
  std::vector<std::pair<std::string, torch::Tensor>> state;
  for (const auto& [name, tensor] : model_->dense_tensors()) state.emplace_back(name, tensor);
  for (std::size_t m = 0; m < optimizer_.moments().size(); ++m) {
    state.emplace_back("moment." + std::to_string(m), optimizer_.moments()[m]);
  }
  state.emplace_back("optimizer_steps", optimizer_steps_);
  return state;
}

}  // namespace limber
