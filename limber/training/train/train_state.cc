#include "limber/training/train/train_state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/training/layers/parallel.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr const char* magic = "limber checkpoint 1\n";

using Tensors = std::map<std::string, torch::Tensor>;

void copy_into(torch::Tensor target, const Tensors& from, const std::string& name) {
  const auto found = from.find(name);
  if (found == from.end() || found->second.sizes() != target.sizes()) {
    throw Error("tensor {} is missing or has another shape", name);
  }
  const torch::NoGradGuard no_grad;
  target.copy_(found->second);
}

}  // namespace

Tensors copy_weights(const RankingModel& model) {
  const torch::NoGradGuard no_grad;
  Tensors weights;
  for (const auto& [name, tensor] : model->dense_tensors()) {
    weights["dense." + name] = tensor.detach().cpu().clone();
  }
  const auto& tables = model->tables.weights();
  for (std::size_t t = 0; t < tables.size(); ++t) {
    weights["table." + model->tables.shapes()[t].name] = tables[t].detach().cpu().clone();
  }
  return weights;
}

void restore_weights(RankingModel& model, const Tensors& weights) {
  for (auto& [name, tensor] : model->dense_tensors()) copy_into(tensor, weights, "dense." + name);
  auto& tables = model->tables.weights();
  for (std::size_t t = 0; t < tables.size(); ++t) {
    copy_into(tables[t], weights, "table." + model->tables.shapes()[t].name);
  }
}

void save_checkpoint(const fs::path& path, const std::string& fingerprint, const TrainState& state,
                     const RankingModel& model, DenseOptimizer& optimizer) {
  Tensors tensors = copy_weights(model);
  for (const auto& [name, tensor] : state.best) tensors["best." + name] = tensor;
  for (std::size_t i = 0; i < optimizer.moments().size(); ++i) {
    tensors["moment." + std::to_string(i)] = optimizer.moments()[i].cpu();
  }
  auto& accumulators = const_cast<RankingModelImpl&>(*model).tables.accumulators();
  for (std::size_t t = 0; t < accumulators.size(); ++t) {
    tensors["accumulator." + std::to_string(t)] = accumulators[t].cpu();
  }
  tensors["random"] = at::detail::getDefaultCPUGenerator().get_state();

  nlohmann::json json{{"fingerprint", fingerprint},
                      {"epoch", state.epoch},
                      {"batch", state.batch},
                      {"step", state.step},
                      {"loss_sum", state.loss_sum},
                      {"loss_count", state.loss_count},
                      {"best_score", state.best_score},
                      {"best_epoch", state.best_epoch},
                      {"done", state.done},
                      {"threads", at::get_num_threads()},
                      {"optimizer_steps", optimizer.steps()}};
  torch::serialize::OutputArchive archive;
  archive.write("state", c10::IValue(json.dump()));
  for (const auto& [name, tensor] : tensors) archive.write(name, tensor);
  std::ostringstream bytes;
  bytes << magic;
  archive.save_to(bytes);
  write_file_atomic(path, std::move(bytes).str());
}

void load_checkpoint(const fs::path& path, const std::string& fingerprint, TrainState& state,
                     RankingModel& model, DenseOptimizer& optimizer) {
  const std::string bytes = read_file(path);
  const std::string_view head = magic;
  try {
    if (!bytes.starts_with(head)) throw Error("not a checkpoint");
    std::istringstream stream(bytes.substr(head.size()));
    torch::serialize::InputArchive archive;
    archive.load_from(stream);
    c10::IValue text;
    archive.read("state", text);
    const auto json = nlohmann::json::parse(text.toStringRef());
    if (json.at("fingerprint") != fingerprint) {
      throw InputError("{}: belongs to another config or other data; pass --restart to begin anew",
                       path.string());
    }
    Tensors tensors;
    for (const std::string& key : archive.keys()) {
      if (key == "state") continue;
      archive.read(key, tensors[key]);
    }
    restore_weights(model, tensors);
    for (std::size_t i = 0; i < optimizer.moments().size(); ++i) {
      copy_into(optimizer.moments()[i], tensors, "moment." + std::to_string(i));
    }
    auto& accumulators = model->tables.accumulators();
    for (std::size_t t = 0; t < accumulators.size(); ++t) {
      copy_into(accumulators[t], tensors, "accumulator." + std::to_string(t));
    }
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    generator.set_state(tensors.at("random"));
    state.epoch = json.at("epoch");
    state.batch = json.at("batch");
    state.step = json.at("step");
    state.loss_sum = json.at("loss_sum");
    state.loss_count = json.at("loss_count");
    state.best_score = json.at("best_score");
    state.best_epoch = json.at("best_epoch");
    state.done = json.at("done");
    optimizer.set_steps(json.at("optimizer_steps"));
    if (const int threads = json.value("threads", at::get_num_threads());
        threads != at::get_num_threads()) {
      spdlog::warn(
          "the run began on {} threads and goes on on {}: sums are rounded in another order, so "
          "the result is not bit for bit that of an unbroken run (train.threads fixes the number)",
          threads, at::get_num_threads());
    }
    state.best.clear();
    for (const auto& [name, tensor] : tensors) {
      if (name.starts_with("best.")) state.best[name.substr(5)] = tensor;
    }
  } catch (const InputError&) {
    throw;
  } catch (const std::exception&) {
    throw InputError("{}: is damaged; pass --restart to begin anew", path.string());
  }
}

}  // namespace limber
