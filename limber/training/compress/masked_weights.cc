#include "limber/training/compress/masked_weights.h"

#include "limber/training/compress/levels.h"

namespace limber {
namespace {

using torch::Tensor;

Tensor as_floats(const Tensor& mask, const Tensor& like) {
  return mask.to(like.options());
}

}  // namespace

MaskedWeights::MaskedWeights(std::vector<CompressionTarget>& targets, bool units)
    : targets_(targets), units_(units), masks_(targets.size()), shadows_(targets.size()) {
  const torch::NoGradGuard no_grad;
  scales_ = torch::zeros({static_cast<std::int64_t>(targets.size())});
  prune();
  find_kept_units();
  if (units_) clear_readers();
  apply_masks();
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    if (targets_[t].bits > 0) shadows_[t] = targets_[t].weight.matrix.detach().clone();
  }
  begin_pass();
}

void MaskedWeights::prune() {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const CompressionTarget& target = targets_[t];
    if (target.groups == nullptr) continue;
    const Tensor mask = target.groups->project(target.pruned(), target.share);
    masks_[t].matrix = mask.narrow(0, 0, target.weight.matrix.size(0)).clone();
    // A unit's column is kept or cleared as a whole, its bias with it.
    if (target.with_bias()) masks_[t].bias = mask[mask.size(0) - 1].clone();
  }
}

void MaskedWeights::find_kept_units() {
  if (!units_) return;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    Mask& mask = masks_[t];
    mask.kept_units.clear();
    if (targets_[t].groups == nullptr) continue;
    const Tensor kept = mask.bias.defined() ? mask.bias : mask.matrix.any(0);
    for (std::int64_t unit = 0; unit < kept.size(0); ++unit) {
      if (kept[unit].item<bool>()) mask.kept_units.push_back(unit);
    }
  }
}

void MaskedWeights::clear_readers() {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    if (targets_[t].groups == nullptr) continue;
    Tensor removed = torch::ones({targets_[t].weight.matrix.size(1)}, torch::kBool);
    for (const std::int64_t unit : masks_[t].kept_units) removed[unit] = false;
    for (const UnitReader& reader : targets_[t].weight.readers) {
      const Tensor lines = removed.repeat_interleave(reader.lines);
      for (std::size_t other = 0; other < targets_.size(); ++other) {
        const CompressibleWeight& weight = targets_[other].weight;
        if (weight.name != reader.name) continue;
        Tensor& mask = masks_[other].matrix;
        if (!mask.defined()) mask = torch::ones(weight.matrix.sizes(), torch::kBool);
        mask.logical_and_(lines.logical_not().unsqueeze(reader.rows ? 1 : 0));
      }
    }
  }
}

void MaskedWeights::apply_masks() {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    Tensor matrix = targets_[t].weight.matrix.detach();
    if (masks_[t].matrix.defined()) matrix.mul_(as_floats(masks_[t].matrix, matrix));
    if (!masks_[t].bias.defined()) continue;
    Tensor bias = targets_[t].weight.bias.detach();
    bias.mul_(as_floats(masks_[t].bias, bias));
  }
}

void MaskedWeights::begin_pass() {
  const torch::NoGradGuard no_grad;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    if (targets_[t].bits == 0) continue;
    scales_[static_cast<std::int64_t>(t)] =
        fit_levels(shadows_[t], targets_[t].bits, masks_[t].matrix).scale;
  }
  round();
}

void MaskedWeights::round() {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    if (targets_[t].bits == 0) continue;
    Tensor matrix = targets_[t].weight.matrix.detach();
    const Levels levels{nearest_codes(shadows_[t], scale(t), targets_[t].bits), scale(t)};
    matrix.copy_(levels.values());
  }
}

void MaskedWeights::before_step() {
  const torch::NoGradGuard no_grad;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    if (targets_[t].bits > 0) targets_[t].weight.matrix.detach().copy_(shadows_[t]);
  }
}

void MaskedWeights::after_step() {
  const torch::NoGradGuard no_grad;
  apply_masks();
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    if (targets_[t].bits > 0) shadows_[t].copy_(targets_[t].weight.matrix.detach());
  }
  round();
}

float MaskedWeights::scale(std::size_t target) const {
  return scales_[static_cast<std::int64_t>(target)].item<float>();
}

std::vector<std::pair<std::string, Tensor>> MaskedWeights::state() {
  std::vector<std::pair<std::string, Tensor>> state;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const std::string& name = targets_[t].weight.name;
    if (masks_[t].matrix.defined()) state.emplace_back("mask." + name, masks_[t].matrix);
    if (masks_[t].bias.defined()) state.emplace_back("mask_of_bias." + name, masks_[t].bias);
    if (shadows_[t].defined()) state.emplace_back("shadow." + name, shadows_[t]);
  }
  state.emplace_back("scales", scales_);
  return state;
}

void MaskedWeights::restored() {
  find_kept_units();
}

}  // namespace limber
