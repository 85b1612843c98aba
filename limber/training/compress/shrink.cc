#include "limber/training/compress/shrink.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "limber/core/config/label_groups.h"
#include "limber/training/compress/ranking_network.h"

namespace limber {
namespace {

using torch::Tensor;

/// Which rows and columns of a weight stay; nothing: all.
struct Lines {
  std::optional<std::vector<std::int64_t>> rows, columns;
};

Tensor select(const Tensor& from, std::int64_t axis,
              const std::optional<std::vector<std::int64_t>>& lines) {
  if (!lines) return from;
  return from.index_select(axis, torch::tensor(*lines, torch::kLong).to(from.device()));
}

/// Into the upper left corner, zeros elsewhere.
void place(Tensor target, const Tensor& from) {
  target.zero_();
  Tensor corner = target;
  for (std::int64_t axis = 0; axis < from.dim(); ++axis) {
    corner = corner.narrow(axis, 0, from.size(axis));
  }
  corner.copy_(from);
}

class Shrinking {
 public:
  Shrinking(const Config& config, const RankingModel& model, const CompressionResult& result)
      : before_(model) {
    shrunk_.config = config;
    const std::vector<CompressibleWeight> weights = ranking_weights(model);
    for (const CompressibleWeight& weight : weights) {
      widths_[weight.name] = weight.matrix.size(1);
      const CompressedWeight* kept = result.find(weight.name);
      if (kept == nullptr || kept->kept_units.empty()) continue;
      widths_[weight.name] = static_cast<std::int64_t>(kept->kept_units.size());
      lines_[weight.name].columns = kept->kept_units;
      for (const UnitReader& reader : weight.readers) {
        Lines& lines = lines_[reader.name];
        (reader.rows ? lines.rows : lines.columns) = kept->kept_units;
      }
    }
  }

  ShrunkModel run() {
    choose_widths();
    const RankingModel& old = before_;
    shrunk_.model = RankingModel(old->layout, shrunk_.config.model, shrunk_.config.meta,
                                 std::vector<double>(static_cast<std::size_t>(old->labels()), 0.5),
                                 shrunk_.config.train.seed, old->tensor);
    const torch::NoGradGuard no_grad;
    std::map<std::string, Tensor> from;
    for (const auto& [name, tensor] : old->dense_tensors()) from[name] = tensor.detach();
    for (auto& [name, tensor] : shrunk_.model->dense_tensors()) {
      place(tensor.detach(), shrunken(name, from.at(name)));
    }
    for (std::size_t l = 0; l < shrunk_.config.model.global_block.hidden.size(); ++l) {
      narrow_gate("global_block.mlp.gate" + std::to_string(l), from);
    }
    shrunk_.model->tables.weights() = old->tables.weights();
    shrunk_.model->eval();
    return std::move(shrunk_);
  }

 private:
  std::int64_t width_of(const std::string& weight) const { return widths_.at(weight); }

  void choose_widths() {
    GlobalBlockOptions& block = shrunk_.config.model.global_block;
    for (std::size_t l = 0; l < block.hidden.size(); ++l) {
      block.hidden[l] = width_of("global_block.mlp.layer" + std::to_string(l));
    }
    if (block.experts.kind != "none") {
      const LabelGroups groups(block.experts, before_->layout.labels);
      for (std::size_t l = 0; l < block.experts.hidden.size(); ++l) {
        std::int64_t widest = 1;
        for (std::int64_t e = 0; e < groups.experts; ++e) {
          widest = std::max(widest, width_of("global_block.experts.expert" + std::to_string(e) +
                                             ".layer" + std::to_string(l)));
        }
        block.experts.hidden[l] = widest;
      }
    }
    if (block.cross.kind == "low_rank") {
      std::int64_t widest = 1;
      for (std::int64_t l = 0; l < block.cross.layers; ++l) {
        widest =
            std::max(widest, width_of("global_block.cross.layer" + std::to_string(l) + ".down"));
      }
      block.cross.rank = std::min(block.cross.rank, widest);
    }
  }

  /// What stays of a tensor of the model before.
  Tensor shrunken(const std::string& name, const Tensor& tensor) const {
    const std::string layer = name.substr(0, name.rfind('.'));
    if (tensor.dim() == 1) {
      // The bias of a layer, of its gate, or a diagonal gate: as wide as the layer's units.
      const std::size_t gate = layer.find("mlp.gate");
      const auto units = lines_.find(gate == std::string::npos
                                         ? layer
                                         : "global_block.mlp.layer" +
                                               layer.substr(gate + std::string("mlp.gate").size()));
      return units == lines_.end() ? tensor : select(tensor, 0, units->second.columns);
    }
    const auto lines = lines_.find(name.ends_with(".weight") ? layer : name);
    if (lines == lines_.end()) return tensor;
    Tensor kept = select(select(tensor, 0, lines->second.rows), 1, lines->second.columns);
    if (is_narrowed(name)) {
      // narrow_gate fills it in.
      const auto shape = shape_after(name);
      kept = kept.narrow(0, 0, shape[0]).narrow(1, 0, shape[1]);
    }
    return kept;
  }

  std::vector<std::int64_t> shape_after(const std::string& name) const {
    for (const auto& [other, tensor] : shrunk_.model->dense_tensors()) {
      if (other == name) return tensor.sizes().vec();
    }
    return {};
  }

  static std::string gate_of(const std::string& name) { return name.substr(0, name.rfind('.')); }

  /// Whether it is a matrix of a gate whose bottleneck has become narrower.
  bool is_narrowed(const std::string& name) const {
    if (name.find("mlp.gate") == std::string::npos) return false;
    if (!name.ends_with(".down") && !name.ends_with(".up")) return false;
    return shape_after(gate_of(name) + ".down")[1] < widths_.at(gate_of(name) + ".down");
  }

  void narrow_gate(const std::string& gate, const std::map<std::string, Tensor>& from) {
    const auto found = from.find(gate + ".down");
    if (found == from.end() || !is_narrowed(gate + ".down")) return;
    const auto lines_of = [&](const std::string& name) {
      const auto lines = lines_.find(name);
      return lines == lines_.end() ? Lines{} : lines->second;
    };
    const Tensor down = select(found->second, 0, lines_of(gate + ".down").rows);
    const Tensor up = select(from.at(gate + ".up"), 1, lines_of(gate + ".up").columns);
    // Narrower than its rank means: as wide as the layer, so that any matrix has the form M I.
    for (auto& [name, tensor] : shrunk_.model->dense_tensors()) {
      if (name == gate + ".down") tensor.detach().copy_(torch::mm(down, up));
      if (name == gate + ".up") tensor.detach().copy_(torch::eye(tensor.size(0), tensor.options()));
    }
    shrunk_.remade.insert({gate + ".down", gate + ".up"});
  }

  const RankingModel& before_;
  ShrunkModel shrunk_;
  std::map<std::string, std::int64_t> widths_;  ///< by weight: its columns after
  std::map<std::string, Lines> lines_;          ///< by weight
};

}  // namespace

bool removes_units(const CompressionResult& result) {
  return std::any_of(result.weights.begin(), result.weights.end(),
                     [](const CompressedWeight& weight) { return !weight.kept_units.empty(); });
}

ShrunkModel shrink_model(const Config& config, const RankingModel& model,
                         const CompressionResult& result) {
  return Shrinking(config, model, result).run();
}

}  // namespace limber
