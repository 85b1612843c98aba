#include "limber/training/layers/cross_kernel.h"

#include "limber/training/layers/gemm.h"
#include "limber/training/layers/row_blocks.h"
#include "limber/training/layers/row_loops.h"

namespace limber {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <class T>
void forward_rows(const Tensor& x0, const Tensor& x, const Tensor& weight, const Tensor& bias,
                  Tensor& mixed, Tensor& result) {
  const std::int64_t width = x.size(1);
  const T* first = x0.const_data_ptr<T>();
  const T* from = x.const_data_ptr<T>();
  const T* matrix = weight.const_data_ptr<T>();
  const T* shift = bias.const_data_ptr<T>();
  T* mix = mixed.mutable_data_ptr<T>();
  T* to = result.mutable_data_ptr<T>();
  RowBlocks(x.size(0), width).run([&](std::int64_t, std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * width;
    multiply<T>(end - begin, width, width, {from + at, width}, {matrix, width}, T(0), mix + at,
                width);
    cross_forward(first + at, from + at, shift, mix + at, to + at, end - begin, width);
  });
}

struct Gradients {
  Tensor x0, x, weight, bias;  ///< undefined where nobody asked
};

/// `above`: gradient of the result; `above_mixed`: of x W + b itself, or undefined. `joined`: x0
/// is x, and the gradient of both goes to x.
template <class T>
void backward_rows(const Tensor& x0, const Tensor& x, const Tensor& mixed, const Tensor& weight,
                   const Tensor& above, const Tensor& above_mixed, bool joined,
                   Gradients& gradients) {
  const std::int64_t width = x.size(1);
  const T* first = x0.const_data_ptr<T>();
  const T* from = x.const_data_ptr<T>();
  const T* mix = mixed.const_data_ptr<T>();
  const T* matrix = weight.const_data_ptr<T>();
  const T* g = above.const_data_ptr<T>();
  const T* g_mixed = above_mixed.defined() ? above_mixed.const_data_ptr<T>() : nullptr;
  T* dx0 = gradients.x0.defined() ? gradients.x0.mutable_data_ptr<T>() : nullptr;
  T* dx = gradients.x.defined() ? gradients.x.mutable_data_ptr<T>() : nullptr;
  const bool by_weight = gradients.weight.defined();
  const RowBlocks blocks(x.size(0), width);
  PartialSums<T> scratch(blocks.parts(), blocks.block() * width);
  PartialSums<T> matrices(blocks.parts(), by_weight ? width * width : 0);
  PartialSums<T> shifts(blocks.parts(), width);
  blocks.run([&](std::int64_t part, std::int64_t begin, std::int64_t end) {
    T* dmixed = scratch.of(part);
    const std::int64_t at = begin * width, count = (end - begin) * width;
    cross_backward(g + at, g_mixed == nullptr ? nullptr : g_mixed + at, first + at, dmixed,
                   shifts.of(part), end - begin, width);
    if (dx0 != nullptr) product(g + at, mix + at, dx0 + at, count);
    if (dx != nullptr) {
      if (joined) {
        add_product(g + at, mix + at, dx + at, count);
      } else {
        std::copy_n(g + at, count, dx + at);
      }
      multiply<T>(end - begin, width, width, {dmixed, width}, {matrix, width, true}, T(1), dx + at,
                  width);
    }
    if (by_weight) {
      multiply<T>(width, width, end - begin, {from + at, width, true}, {dmixed, width}, T(1),
                  matrices.of(part), width);
    }
  });
  if (by_weight) matrices.finish(gradients.weight.mutable_data_ptr<T>());
  if (gradients.bias.defined()) shifts.finish(gradients.bias.mutable_data_ptr<T>());
}

/// Gives x W + b as a second output, so that a second derivative flows through it.
struct CrossLayer : torch::autograd::Function<CrossLayer> {
  static variable_list forward(AutogradContext* context, const Tensor& x0, const Tensor& x,
                               const Tensor& weight, const Tensor& bias) {
    context->saved_data["joined"] = x0.is_same(x);
    context->set_materialize_grads(false);
    const Tensor from = x.contiguous();
    Tensor mixed = at::empty(from.sizes(), from.options());
    Tensor result = at::empty(from.sizes(), from.options());
    const auto run = x.scalar_type() == at::kDouble ? &forward_rows<double> : &forward_rows<float>;
    run(x0.contiguous(), from, weight.contiguous(), bias, mixed, result);
    context->save_for_backward({x0, x, weight, mixed});
    return {result, mixed};
  }
  static variable_list backward(AutogradContext* context, variable_list above) {
    const auto saved = context->get_saved_variables();
    const Tensor &x0 = saved[0], &x = saved[1], &weight = saved[2], &mixed = saved[3];
    variable_list result(4);
    if (!above[0].defined() && !above[1].defined()) return result;
    const Tensor g = above[0].defined() ? above[0] : at::zeros_like(mixed);
    const auto needs = [&](std::size_t input) { return context->needs_input_grad(input); };
    if (at::GradMode::is_enabled()) {
      const Tensor dmixed = above[1].defined() ? g * x0 + above[1] : g * x0;
      if (needs(0)) result[0] = g * mixed;
      if (needs(1)) result[1] = at::addmm(g, dmixed, weight.t());
      if (needs(2)) result[2] = at::mm(x.t(), dmixed);
      if (needs(3)) result[3] = dmixed.sum(0);
      return result;
    }
    const bool joined = context->saved_data["joined"].toBool();
    Gradients gradients;
    if (needs(0) && !joined) gradients.x0 = at::empty(mixed.sizes(), mixed.options());
    if (needs(1)) gradients.x = at::empty(mixed.sizes(), mixed.options());
    if (needs(2)) gradients.weight = at::empty(weight.sizes(), mixed.options());
    if (needs(3)) gradients.bias = at::empty({mixed.size(1)}, mixed.options());
    const auto run =
        x.scalar_type() == at::kDouble ? &backward_rows<double> : &backward_rows<float>;
    run(x0.contiguous(), x.contiguous(), mixed, weight.contiguous(), g.contiguous(),
        above[1].defined() ? above[1].contiguous() : above[1], joined, gradients);
    return {gradients.x0, gradients.x, gradients.weight, gradients.bias};
  }
};

}  // namespace

Tensor cross_layer(const Tensor& x0, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (!x.device().is_cpu()) return torch::addcmul(x, x0, torch::addmm(bias, x, weight));
  return CrossLayer::apply(x0, x, weight, bias)[0];
}

}  // namespace limber
