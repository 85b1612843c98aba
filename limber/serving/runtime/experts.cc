#include "limber/serving/runtime/experts.h"

#include <algorithm>
#include <cmath>

#include "limber/core/config/label_groups.h"
#include "limber/serving/runtime/row_kernels.h"

namespace limber {
namespace {

void softmax_rows(float* scores, std::int64_t row, std::int64_t rows, std::int64_t count) {
  for (std::int64_t i = 0; i < rows; ++i) {
    float* shares = scores + i * row;
    const float most = *std::max_element(shares, shares + count);
    float total = 0;
    for (std::int64_t e = 0; e < count; ++e) total += shares[e] = std::exp(shares[e] - most);
    for (std::int64_t e = 0; e < count; ++e) shares[e] /= total;
  }
}

}  // namespace

FrozenExperts FrozenExperts::load(const DenseTensors& tensors, const std::string& name,
                                  std::int64_t in, const std::vector<std::string>& labels,
                                  const ExpertOptions& options, const std::string& activation,
                                  const std::vector<std::int64_t>& order) {
  const LabelGroups groups(options, labels);
  FrozenExperts result;
  result.in_ = in;
  result.labels_ = static_cast<std::int64_t>(labels.size());
  for (std::int64_t e = 0; e < groups.experts; ++e) {
    result.experts_.push_back(DenseStack::load(tensors, name + ".expert" + std::to_string(e), in,
                                               options.hidden, activation, order));
  }
  result.out_ = result.experts_[0].out;
  for (std::size_t g = 0; g < groups.labels.size(); ++g) {
    Group& group = result.groups_.emplace_back();
    group.labels = groups.labels[g];
    group.visible = groups.visible[g];
    const std::string number = std::to_string(g);
    if (options.kind != "groups") {
      group.gate = DenseLayer::load(tensors, name + ".gate" + number, in,
                                    static_cast<std::int64_t>(group.visible.size()), order);
    }
    group.head = DenseLayer::load(tensors, name + ".head" + number, result.out_,
                                  static_cast<std::int64_t>(group.labels.size()),
                                  options.hidden.empty() ? order : std::vector<std::int64_t>{});
  }
  return result;
}

void FrozenExperts::forward(const float* h, std::int64_t rows, const float* start,
                            const LastLayerView* last_layers, Workspace& workspace,
                            float* logits) const {
  const std::int64_t row = padded(out_);
  float* mixed = workspace.zeros(static_cast<std::int64_t>(groups_.size()) * rows, out_);
  std::int64_t few = 1;
  for (const Group& group : groups_) few = std::max({few, group.gate.out, group.head.out});
  float* shares = workspace.take(static_cast<std::int64_t>(groups_.size()) * rows, few);
  const auto mixed_of = [&](std::size_t g) {
    return mixed + static_cast<std::int64_t>(g) * rows * row;
  };
  const auto shares_of = [&](std::size_t g) {
    return shares + static_cast<std::int64_t>(g) * rows * padded(few);
  };
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (!groups_[g].mixes()) continue;
    apply_linear(groups_[g].gate, h, padded(in_), rows, shares_of(g), padded(few));
    softmax_rows(shares_of(g), padded(few), rows, groups_[g].gate.out);
  }
  for (std::size_t e = 0; e < experts_.size(); ++e) {
    const float* x = h;
    std::int64_t width = in_;
    for (const DenseLayer& layer : experts_[e].layers) {
      float* next = workspace.take(rows, layer.out);
      apply(layer, experts_[e].tanh, x, padded(width), rows, next);
      x = next;
      width = layer.out;
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto& visible = groups_[g].visible;
      const auto found = std::find(visible.begin(), visible.end(), static_cast<std::int64_t>(e));
      if (found == visible.end()) continue;
      for (std::int64_t i = 0; i < rows; ++i) {
        const float share =
            groups_[g].mixes() ? shares_of(g)[i * padded(few) + (found - visible.begin())] : 1.0F;
        add_scaled(x + i * row, share, mixed_of(g) + i * row, out_);
      }
    }
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    if (last_layers != nullptr) {
      for (const std::int64_t label : group.labels) {
        float* one = shares_of(g);
        few_outputs(mixed_of(g), row, last_layers->weights + label * last_layers->row,
                    last_layers->row, last_layers->bias + label, nullptr, one, rows, out_, 1);
        for (std::int64_t i = 0; i < rows; ++i) {
          const std::int64_t at = i * labels_ + label;
          logits[at] = one[i] + (start == nullptr ? 0.0F : start[at]);
        }
      }
      continue;
    }
    apply_linear(group.head, mixed_of(g), row, rows, shares_of(g), padded(few));
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::size_t l = 0; l < group.labels.size(); ++l) {
        const std::int64_t at = i * labels_ + group.labels[l];
        logits[at] = shares_of(g)[i * padded(few) + static_cast<std::int64_t>(l)] +
                     (start == nullptr ? 0.0F : start[at]);
      }
    }
  }
}

ExpertPass::ExpertPass(const FrozenExperts& experts, std::int64_t rows, Workspace& workspace)
    : experts_(experts), rows_(rows) {
  std::int64_t few = 1;
  passes_.reserve(experts.experts_.size());
  for (const DenseStack& stack : experts.experts_) {
    passes_.emplace_back(stack, rows, workspace);
    gradients_.push_back(workspace.take(rows, stack.out));
  }
  outputs_.resize(passes_.size());
  for (const FrozenExperts::Group& group : experts.groups_) {
    shares_.push_back(group.mixes() ? workspace.take(rows, group.gate.out) : nullptr);
    few = std::max({few, group.gate.out, group.head.out});
  }
  mixed_ = workspace.take(rows, experts.out_);
  few_ = workspace.take(rows, few);
  gate_gradient_ = workspace.take(rows, few);
}

void ExpertPass::forward(const float* h, const float* start, float* logits) {
  const std::int64_t row = padded(experts_.out_), labels = experts_.labels_;
  for (std::size_t e = 0; e < passes_.size(); ++e) outputs_[e] = passes_[e].forward(h);
  for (std::size_t g = 0; g < experts_.groups_.size(); ++g) {
    const FrozenExperts::Group& group = experts_.groups_[g];
    const float* mixed = outputs_[static_cast<std::size_t>(group.visible[0])];
    if (group.mixes()) {
      const std::int64_t share_row = padded(group.gate.out);
      apply_linear(group.gate, h, padded(experts_.in_), rows_, shares_[g]);
      softmax_rows(shares_[g], share_row, rows_, group.gate.out);
      for (std::int64_t i = 0; i < rows_; ++i) {
        std::fill_n(mixed_ + i * row, row, 0.0F);
        for (std::size_t v = 0; v < group.visible.size(); ++v) {
          add_scaled(outputs_[static_cast<std::size_t>(group.visible[v])] + i * row,
                     shares_[g][i * share_row + static_cast<std::int64_t>(v)], mixed_ + i * row,
                     experts_.out_);
        }
      }
      mixed = mixed_;
    }
    apply_linear(group.head, mixed, row, rows_, few_);
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::size_t l = 0; l < group.labels.size(); ++l) {
        const std::int64_t at = i * labels + group.labels[l];
        logits[at] = few_[i * padded(group.head.out) + static_cast<std::int64_t>(l)] +
                     (start == nullptr ? 0.0F : start[at]);
      }
    }
  }
}

// With z = sum_e s_e f_e and D the gradient of z: that of f_e is s_e D, and through the softmax the
// gate's scores get s_e (<D, f_e> - sum_m s_m <D, f_m>).
void ExpertPass::backward(const float* seed, float* to) {
  const std::int64_t row = padded(experts_.out_), in_row = padded(experts_.in_);
  const std::int64_t labels = experts_.labels_;
  std::fill_n(to, rows_ * in_row, 0.0F);
  for (float* gradient : gradients_) std::fill_n(gradient, rows_ * row, 0.0F);
  const auto add_back = [&](const DenseLayer& layer, const float* gradient) {
    Product product = layer.transposed.product(gradient, padded(layer.out), rows_);
    product.start = product.c = to;
    product.start_row = product.c_row = in_row;
    multiply(product);
  };
  for (std::size_t g = 0; g < experts_.groups_.size(); ++g) {
    const FrozenExperts::Group& group = experts_.groups_[g];
    const std::int64_t few_row = padded(group.head.out);
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::size_t l = 0; l < group.labels.size(); ++l) {
        few_[i * few_row + static_cast<std::int64_t>(l)] = seed[i * labels + group.labels[l]];
      }
    }
    Product product = group.head.transposed.product(few_, few_row, rows_);
    product.c = mixed_;
    product.c_row = row;
    multiply(product);
    const std::int64_t share_row = padded(group.gate.out);
    for (std::int64_t i = 0; i < rows_; ++i) {
      const float* above = mixed_ + i * row;
      if (!group.mixes()) {
        add_scaled(above, 1.0F, gradients_[static_cast<std::size_t>(group.visible[0])] + i * row,
                   experts_.out_);
        continue;
      }
      float* scores = gate_gradient_ + i * share_row;
      float mean = 0;
      for (std::size_t v = 0; v < group.visible.size(); ++v) {
        const auto e = static_cast<std::size_t>(group.visible[v]);
        const float share = shares_[g][i * share_row + static_cast<std::int64_t>(v)];
        add_scaled(above, share, gradients_[e] + i * row, experts_.out_);
        float product_with = 0;
        for (std::int64_t c = 0; c < experts_.out_; ++c) {
          product_with += above[c] * outputs_[e][i * row + c];
        }
        scores[v] = product_with;
        mean += share * product_with;
      }
      for (std::size_t v = 0; v < group.visible.size(); ++v) {
        scores[v] = shares_[g][i * share_row + static_cast<std::int64_t>(v)] * (scores[v] - mean);
      }
    }
    if (group.mixes()) add_back(group.gate, gate_gradient_);
  }
  for (std::size_t e = 0; e < passes_.size(); ++e) {
    const float* below = passes_[e].backward(gradients_[e]);
    for (std::int64_t i = 0; i < rows_ * in_row; ++i) to[i] += below[i];
  }
}

}  // namespace limber
