#include "limber/training/meta/descend.h"

#include "limber/training/layers/parallel.h"

namespace limber {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor composed(const Tensor& weights, const Tensor& share, const Tensor& gradient) {
  return weights - (weights.dim() == 3 ? share.unsqueeze(2) : share) * gradient;
}

template <class T>
void forward_tasks(const Tensor& weights, const Tensor& share, const Tensor& gradient,
                   Tensor& result) {
  const std::int64_t tasks = gradient.size(0);
  const std::int64_t size = tasks == 0 ? 0 : gradient.numel() / tasks;
  const std::int64_t stride = weights.stride(0);
  const T* from = weights.const_data_ptr<T>();
  const T* shares = share.const_data_ptr<T>();
  const T* direction = gradient.const_data_ptr<T>();
  T* to = result.mutable_data_ptr<T>();
  at::parallel_for(0, tasks, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const T* source = from + t * stride;
      const T* step = direction + t * size;
      T* target = to + t * size;
      for (std::int64_t i = 0; i < size; ++i) target[i] = source[i] - shares[t] * step[i];
    }
  });
}

/// below = -share * above; dshare = -<above, gradient>.
template <class T>
void backward_tasks(const Tensor& above, const Tensor& share, const Tensor& gradient, Tensor& below,
                    Tensor& dshare) {
  const std::int64_t tasks = gradient.size(0);
  const std::int64_t size = tasks == 0 ? 0 : gradient.numel() / tasks;
  const T* from = above.const_data_ptr<T>();
  const T* shares = share.const_data_ptr<T>();
  const T* direction = gradient.const_data_ptr<T>();
  T* to = below.mutable_data_ptr<T>();
  T* sums = dshare.mutable_data_ptr<T>();
  at::parallel_for(0, tasks, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const T* source = from + t * size;
      const T* step = direction + t * size;
      T* target = to + t * size;
      // Eight sums side by side: a single one would wait for itself.
      T partial[8] = {};
      std::int64_t i = 0;
      for (; i + 8 <= size; i += 8) {
        for (std::int64_t lane = 0; lane < 8; ++lane) {
          partial[lane] += source[i + lane] * step[i + lane];
          target[i + lane] = -shares[t] * source[i + lane];
        }
      }
      T sum = 0;
      for (; i < size; ++i) {
        sum += source[i] * step[i];
        target[i] = -shares[t] * source[i];
      }
      for (const T one : partial) sum += one;
      sums[t] = -sum;
    }
  });
}

struct Descend : torch::autograd::Function<Descend> {
  static Tensor forward(AutogradContext* context, const Tensor& weights, const Tensor& share,
                        const Tensor& gradient) {
    context->save_for_backward({share, gradient});
    const Tensor direction = gradient.contiguous();
    // One task's weights must be dense; the stride between tasks may be zero.
    const Tensor from = weights.size(0) > 0 && weights.select(0, 0).is_contiguous()
                            ? weights
                            : weights.contiguous();
    Tensor result = at::empty(direction.sizes(), direction.options());
    const auto run =
        direction.scalar_type() == at::kDouble ? &forward_tasks<double> : &forward_tasks<float>;
    run(from, share.contiguous(), direction, result);
    return result;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &share = saved[0], &gradient = saved[1], &above = gradients[0];
    if (at::GradMode::is_enabled()) {
      const Tensor scale = above.dim() == 3 ? share.unsqueeze(2) : share;
      return {above, -(above * gradient).flatten(1).sum(1, /*keepdim=*/true), -scale * above};
    }
    const Tensor direction = gradient.contiguous();
    // The first-order step takes the gradient for a constant.
    if (!context->needs_input_grad(2)) {
      return {above, -(above * direction).flatten(1).sum(1, /*keepdim=*/true), Tensor()};
    }
    Tensor below = at::empty(direction.sizes(), direction.options());
    Tensor dshare = at::empty(share.sizes(), share.options());
    const auto run =
        direction.scalar_type() == at::kDouble ? &backward_tasks<double> : &backward_tasks<float>;
    run(above.contiguous(), share.contiguous(), direction, below, dshare);
    return {above, dshare, below};
  }
};

}  // namespace

Tensor descend(const Tensor& weights, const Tensor& share, const Tensor& gradient) {
  if (!gradient.device().is_cpu()) return composed(weights, share, gradient);
  return Descend::apply(weights, share, gradient);
}

}  // namespace limber
