#include "limber/training/layers/gate.h"

#include "limber/training/layers/dense.h"

namespace limber {
namespace {

/// sigmoid(2) = 0.88: open enough to pass nearly all, not so far that the gate could not learn.
constexpr double kOpen = 2;

}  // namespace

GateImpl::GateImpl(std::int64_t width, const std::string& kind, std::int64_t rank,
                   torch::TensorOptions options) {
  if (kind == "low_rank") {
    rank = std::min(rank, width);
    down = register_parameter("down", initial_weight(width, rank, width, options));
    up = register_parameter("up", initial_weight(rank, width, rank, options));
  } else if (kind == "full") {
    weight = register_parameter("weight", initial_weight(width, width, width, options));
  } else {
    weight = register_parameter("weight", torch::zeros({width}, options));
  }
  bias = register_parameter("bias", torch::full({width}, kOpen, options));
}

torch::Tensor GateImpl::forward(const torch::Tensor& h) {
  torch::Tensor score;
  if (down.defined()) {
    score = torch::addmm(bias, torch::mm(h, down), up);
  } else if (weight.dim() == 2) {
    score = torch::addmm(bias, h, weight);
  } else {
    score = torch::addcmul(bias, h, weight);
  }
  return torch::sigmoid(score) * h;
}

}  // namespace limber
