#include "limber/training/model/global_block.h"

#include "limber/training/layers/padding.h"

namespace limber {

GlobalBlockImpl::GlobalBlockImpl(std::int64_t member_width, const InputLayout& layout,
                                 const GlobalBlockOptions& options, torch::TensorOptions tensor)
    : inputs_(layout, options.inputs.empty() ? feature_names(layout, true) : options.inputs),
      wide_inputs_(layout, options.wide),
      calibration_inputs_(layout, options.calibration.inputs) {
  const std::int64_t width = member_width + inputs_.width();
  const auto labels = static_cast<std::int64_t>(layout.labels.size());
  cross_ = register_module("cross", CrossNetwork(width, options.cross, tensor));
  mlp_ = register_module("mlp", Mlp(width, options.hidden, options.activation, options.dropout,
                                    tensor, GateChoice{options.gate, options.gate_rank}));
  if (options.experts.kind == "none") {
    head_ = register_module("head", Dense(mlp_->out(), labels, tensor));
  } else {
    experts_ = register_module("experts", Experts(mlp_->out(), layout.labels, options.experts,
                                                  options.activation, options.dropout, tensor));
  }
  if (wide_inputs_.width() > 0) {
    wide_ = register_module("wide", Dense(wide_inputs_.width(), labels, tensor));
  }
  if (options.calibration.enabled) {
    calibration_ = register_module(
        "calibration",
        IsotonicCalibration(labels, calibration_inputs_.width(), options.calibration, tensor));
  }
}

torch::Tensor GlobalBlockImpl::forward(const torch::Tensor& member, const torch::Tensor& inputs,
                                       LastLayers* last) {
  const torch::Tensor selected = inputs_.select(inputs);
  std::vector<torch::Tensor> parts;
  if (member.size(1) > 0) parts.push_back(member);
  parts.push_back(selected);
  const std::int64_t width = member.size(1) + selected.size(1);
  if (const std::int64_t padding = padded_width(width) - width; padding > 0) {
    parts.push_back(torch::zeros({selected.size(0), padding}, selected.options()));
  }
  const torch::Tensor x = parts.size() > 1 ? torch::cat(parts, 1) : selected;
  const torch::Tensor h = mlp_(cross_(x));
  torch::Tensor logits =
      experts_ ? experts_(h, last == nullptr ? nullptr : &last->inputs) : head_(h);
  if (last != nullptr && !experts_) {
    last->inputs.assign(static_cast<std::size_t>(logits.size(1)), h);
  }
  if (wide_) logits = logits + wide_(wide_inputs_.select(inputs));
  if (!calibration_) return logits;
  const torch::Tensor context = calibration_inputs_.select(inputs);
  if (last != nullptr) {
    // A calibrated logit depends on its own uncalibrated one alone.
    const torch::AutoGradMode recorded(true);
    const torch::Tensor from = logits.detach().requires_grad_();
    last->slopes = torch::autograd::grad({calibration_(from, context.detach()).sum()}, {from})[0];
  }
  return calibration_(logits, context);
}

torch::Tensor GlobalBlockImpl::last_layer(std::int64_t label) const {
  if (experts_) return experts_->last_layer(label);
  return torch::cat({head_->weight.select(1, label), head_->bias.narrow(0, label, 1)});
}

}  // namespace limber
