#include "limber/serving/runtime/stack_pass.h"

#include <algorithm>

#include "limber/serving/runtime/row_kernels.h"

namespace limber {

StackPass::StackPass(const DenseStack& stack, std::int64_t rows, Workspace& workspace)
    : stack_(stack), rows_(rows) {
  std::int64_t widest = stack.in;
  for (const DenseLayer& layer : stack.layers) {
    outputs_.push_back(workspace.take(rows, layer.out));
    widest = std::max(widest, layer.out);
  }
  left_ = workspace.take(rows, widest);
  right_ = workspace.take(rows, widest);
}

const float* StackPass::forward(const float* x) {
  std::int64_t width = stack_.in;
  for (std::size_t l = 0; l < outputs_.size(); ++l) {
    apply(stack_.layers[l], stack_.tanh, x, padded(width), rows_, outputs_[l]);
    x = outputs_[l];
    width = stack_.layers[l].out;
  }
  return x;
}

const float* StackPass::backward(float* gradient) {
  float* here = gradient;
  float* next = left_;
  for (std::size_t l = outputs_.size(); l-- > 0;) {
    const DenseLayer& layer = stack_.layers[l];
    const std::int64_t row = padded(layer.out);
    if (stack_.tanh) {
      tanh_adjoint(outputs_[l], here, row, rows_, layer.out);
    } else {
      mask_rows(outputs_[l], rows_ * row, here);
    }
    Product product = layer.transposed.product(here, row, rows_);
    product.c = next;
    product.c_row = padded(layer.in);
    multiply(product);
    here = next;
    next = here == left_ ? right_ : left_;
  }
  return here;
}

}  // namespace limber
