#include "limber/training/train/train_state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <spdlog/spdlog.h>

#include <cstring>
#include <sstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/training/layers/parallel.h"
#include "limber/training/train/checkpoint_parts.h"

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

/// The weights themselves, by the names of copy_weights.
Tensors weights_of(const RankingModel& model) {
  Tensors weights;
  for (const auto& [name, tensor] : model->dense_tensors()) {
    weights["dense." + name] = tensor.detach();
  }
  const auto& tables = model->tables.weights();
  for (std::size_t t = 0; t < tables.size(); ++t) {
    weights["table." + model->tables.shapes()[t].name] = tables[t].detach();
  }
  return weights;
}

/// What this process holds of the tables that one process alone wrote.
void take_tables(const Tensors& tensors, RankingModel& model, Tensors& best) {
  EmbeddingTables& tables = model->tables;
  const auto from = place_tables(tables.shapes(), 1);
  const ProcessGroup* ranks = model->tables.ranks();
  const std::int64_t rank = ranks == nullptr ? 0 : ranks->rank();
  for (std::size_t t = 0; t < tables.weights().size(); ++t) {
    const std::string name = "table." + tables.shapes()[t].name;
    const auto copy = [&](const torch::Tensor& theirs, torch::Tensor mine) {
      torch::Tensor held = torch::zeros_like(mine, torch::kCPU);
      copy_held_rows(theirs, from[t], 0, held, tables.placements()[t], rank);
      mine.copy_(held);
    };
    copy(tensors.at(name), tables.weights()[t]);
    copy(tensors.at("accumulator." + std::to_string(t)), tables.accumulators()[t]);
    const auto kept = best.find(name);
    if (kept == best.end()) continue;
    torch::Tensor held = torch::zeros_like(tables.weights()[t], torch::kCPU);
    copy(kept->second, held);
    kept->second = held;
  }
}

}  // namespace

Tensors copy_weights(const RankingModel& model) {
  const torch::NoGradGuard no_grad;
  Tensors weights = weights_of(model);
  for (auto& [name, tensor] : weights) tensor = tensor.cpu().clone();
  return weights;
}

void keep_weights(const RankingModel& model, Tensors& kept) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : weights_of(model)) {
    torch::Tensor& copy = kept[name];
    if (copy.defined() && copy.sizes() == tensor.sizes()) {
      copy.copy_(tensor);
    } else {
      copy = tensor.cpu().clone();
    }
  }
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
  ProcessGroup* ranks = model->tables.ranks();
  const CheckpointParts parts{state.step, ranks == nullptr ? 1 : ranks->size()};
  if (ranks != nullptr) {
    save_part(path, parts, model, state.best);
    ranks->barrier();
    if (!ranks->is_first()) return ranks->barrier();
  }
  // Rows of tables stand in the parts, where there are any.
  const auto here = [&](const std::string& name) {
    return ranks == nullptr || !name.starts_with("table.");
  };
  Tensors tensors;
  for (const auto& [name, tensor] : weights_of(model)) {
    if (here(name)) tensors[name] = tensor.cpu();
  }
  for (const auto& [name, tensor] : state.best) {
    if (here(name)) tensors["best." + name] = tensor;
  }
  for (std::size_t i = 0; i < optimizer.moments().size(); ++i) {
    tensors["moment." + std::to_string(i)] = optimizer.moments()[i].cpu();
  }
  auto& accumulators = const_cast<RankingModelImpl&>(*model).tables.accumulators();
  for (std::size_t t = 0; ranks == nullptr && t < accumulators.size(); ++t) {
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
                      {"ranks", parts.ranks},
                      {"whole_below", parts.whole_below},
                      {"optimizer_steps", optimizer.steps()}};
  torch::serialize::OutputArchive archive;
  archive.write("state", c10::IValue(json.dump()));
  for (const auto& [name, tensor] : tensors) archive.write(name, tensor);
  std::ostringstream bytes;
  bytes << magic;
  archive.save_to(bytes);
  write_file_atomic(path, std::move(bytes).str());
  remove_other_parts(path, parts);
  if (ranks != nullptr) ranks->barrier();
}

void load_checkpoint(const fs::path& path, const std::string& fingerprint, TrainState& state,
                     RankingModel& model, DenseOptimizer& optimizer) {
  const torch::NoGradGuard no_grad;
  const MappedFile file = MappedFile::open(path);
  const std::string_view head = magic;
  try {
    const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
    if (!bytes.starts_with(head)) throw Error("not a checkpoint");
    torch::serialize::InputArchive archive;
    // Read in place: it may be half as large as the memory.
    const std::string_view rest = bytes.substr(head.size());
    archive.load_from(
        [rest](std::uint64_t at, void* to, std::size_t size) {
          const std::string_view piece = rest.substr(std::min<std::size_t>(at, rest.size()), size);
          std::memcpy(to, piece.data(), piece.size());
          return piece.size();
        },
        [rest] { return rest.size(); });
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
    state.best.clear();
    for (const auto& [name, tensor] : tensors) {
      if (name.starts_with("best.")) state.best[name.substr(5)] = tensor;
    }
    const CheckpointParts parts{json.at("step"), json.value("ranks", std::int64_t{1}),
                                json.value("whole_below", kWholeTableRows)};
    for (auto& [name, tensor] : model->dense_tensors()) copy_into(tensor, tensors, "dense." + name);
    if (parts.ranks > 1) {
      load_parts(path, parts, model, state.best);
    } else {
      take_tables(tensors, model, state.best);
    }
    for (std::size_t i = 0; i < optimizer.moments().size(); ++i) {
      copy_into(optimizer.moments()[i], tensors, "moment." + std::to_string(i));
    }
    const ProcessGroup* ranks = model->tables.ranks();
    const std::int64_t now = ranks == nullptr ? 1 : ranks->size();
    if (now == 1 && parts.ranks == 1) {
      at::Generator generator = at::detail::getDefaultCPUGenerator();
      generator.set_state(tensors.at("random"));
    }
    if (now != parts.ranks) {
      // Nobody's generator is where one of these would be: each gets one of its own.
      const auto rank = static_cast<std::uint64_t>(ranks == nullptr ? 0 : ranks->rank());
      torch::manual_seed(mix64(static_cast<std::uint64_t>(parts.step) ^ mix64(rank)));
      spdlog::info(
          "processes that wrote the checkpoint: {}; that go on: {}; sums are rounded in another "
          "order",
          parts.ranks, now);
    }
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
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    refuse_checkpoint(path, error);
  }
}

}  // namespace limber
