#include "limber/training/layers/dense_relu.h"

#include "limber/training/layers/gemm.h"
#include "limber/training/layers/row_blocks.h"
#include "limber/training/layers/row_loops.h"

namespace limber {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <class T>
void forward_rows(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& result) {
  const std::int64_t in = x.size(1), out = weight.size(1);
  const T* from = x.const_data_ptr<T>();
  const T* matrix = weight.const_data_ptr<T>();
  const T* shift = bias.const_data_ptr<T>();
  T* to = result.mutable_data_ptr<T>();
  RowBlocks(x.size(0), std::max(in, out))
      .run([&](std::int64_t, std::int64_t begin, std::int64_t end) {
        T* block = to + begin * out;
        multiply<T>(end - begin, out, in, {from + begin * in, in}, {matrix, out}, T(0), block, out);
        add_bias_relu(block, shift, end - begin, out);
      });
}

/// Gradients of x, weight and bias; those that nobody asked for are undefined.
template <class T>
void backward_rows(const Tensor& x, const Tensor& weight, const Tensor& y, const Tensor& gradient,
                   Tensor& dx, Tensor& dweight, Tensor& dbias) {
  const std::int64_t in = x.size(1), out = weight.size(1);
  const T* from = x.const_data_ptr<T>();
  const T* matrix = weight.const_data_ptr<T>();
  const T* active = y.const_data_ptr<T>();
  const T* above = gradient.const_data_ptr<T>();
  T* below = dx.defined() ? dx.mutable_data_ptr<T>() : nullptr;
  const RowBlocks blocks(x.size(0), std::max(in, out));
  PartialSums<T> masked(blocks.parts(), blocks.block() * out);
  PartialSums<T> matrices(blocks.parts(), dweight.defined() ? in * out : 0);
  PartialSums<T> shifts(blocks.parts(), out);
  blocks.run([&](std::int64_t part, std::int64_t begin, std::int64_t end) {
    T* g = masked.of(part);
    mask_by_relu(above + begin * out, active + begin * out, g, shifts.of(part), end - begin, out);
    if (below != nullptr) {
      multiply<T>(end - begin, in, out, {g, out}, {matrix, out, true}, T(0), below + begin * in,
                  in);
    }
    if (dweight.defined()) {
      multiply<T>(in, out, end - begin, {from + begin * in, in, true}, {g, out}, T(1),
                  matrices.of(part), out);
    }
  });
  if (dweight.defined()) matrices.finish(dweight.mutable_data_ptr<T>());
  if (dbias.defined()) shifts.finish(dbias.mutable_data_ptr<T>());
}

struct DenseRelu : torch::autograd::Function<DenseRelu> {
  static Tensor forward(AutogradContext* context, const Tensor& x_in, const Tensor& weight_in,
                        const Tensor& bias) {
    const Tensor x = x_in.contiguous(), weight = weight_in.contiguous();
    Tensor y = at::empty({x.size(0), weight.size(1)}, x.options());
    if (x.scalar_type() == at::kDouble) {
      forward_rows<double>(x, weight, bias, y);
    } else {
      forward_rows<float>(x, weight, bias, y);
    }
    context->save_for_backward({x_in, weight_in, y});
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &y = saved[2];
    variable_list result(3);
    if (at::GradMode::is_enabled()) {
      // To be differentiated again: only the mask is constant.
      const Tensor g = at::threshold_backward(gradients[0], y, 0);
      if (context->needs_input_grad(0)) result[0] = at::mm(g, weight.t());
      if (context->needs_input_grad(1)) result[1] = at::mm(x.t(), g);
      if (context->needs_input_grad(2)) result[2] = g.sum(0);
      return result;
    }
    if (context->needs_input_grad(0)) result[0] = at::empty(x.sizes(), y.options());
    if (context->needs_input_grad(1)) result[1] = at::empty(weight.sizes(), y.options());
    if (context->needs_input_grad(2)) result[2] = at::empty({weight.size(1)}, y.options());
    const auto run =
        x.scalar_type() == at::kDouble ? &backward_rows<double> : &backward_rows<float>;
    run(x.contiguous(), weight.contiguous(), y, gradients[0].contiguous(), result[0], result[1],
        result[2]);
    return result;
  }
};

}  // namespace

Tensor dense_relu(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (!x.device().is_cpu()) return torch::relu(torch::addmm(bias, x, weight));
  return DenseRelu::apply(x, weight, bias);
}

}  // namespace limber
