#include "limber/training/layers/segments.h"

#include "limber/training/layers/parallel.h"

#include <algorithm>
#include <cstring>

#include "limber/training/layers/gemm.h"

namespace limber {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor expand_plain(const Tensor& by_task, const Segments& segments) {
  if (!by_task.device().is_cpu()) return by_task.index_select(0, segments.task_of_row());
  const Tensor source = by_task.contiguous();
  Tensor result = at::empty({segments.rows(), source.size(1)}, source.options());
  const auto row_bytes = static_cast<std::size_t>(source.size(1)) * source.element_size();
  const auto* from = static_cast<const char*>(source.const_data_ptr());
  auto* to = static_cast<char*>(result.mutable_data_ptr());
  const auto& offsets = segments.offsets();
  at::parallel_for(0, segments.tasks(), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      for (auto row = offsets[static_cast<std::size_t>(t)];
           row < offsets[static_cast<std::size_t>(t) + 1]; ++row) {
        std::memcpy(to + static_cast<std::size_t>(row) * row_bytes,
                    from + static_cast<std::size_t>(t) * row_bytes, row_bytes);
      }
    }
  });
  return result;
}

template <class T>
void sum_kernel(const Tensor& source, Tensor& result, const std::vector<std::int64_t>& offsets) {
  const std::int64_t width = source.size(1);
  const T* from = source.const_data_ptr<T>();
  T* to = result.mutable_data_ptr<T>();
  const auto tasks = static_cast<std::int64_t>(offsets.size()) - 1;
  at::parallel_for(0, tasks, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      T* out = to + t * width;
      for (auto row = offsets[static_cast<std::size_t>(t)];
           row < offsets[static_cast<std::size_t>(t) + 1]; ++row) {
        const T* in = from + row * width;
        for (std::int64_t c = 0; c < width; ++c) out[c] += in[c];
      }
    }
  });
}

Tensor sum_plain(const Tensor& by_row, const Segments& segments) {
  Tensor result = at::zeros({segments.tasks(), by_row.size(1)}, by_row.options());
  if (!by_row.device().is_cpu()) return result.index_add_(0, segments.task_of_row(), by_row);
  const Tensor source = by_row.contiguous();
  if (source.scalar_type() == at::kDouble) {
    sum_kernel<double>(source, result, segments.offsets());
  } else {
    sum_kernel<float>(source, result, segments.offsets());
  }
  return result;
}

bool is_shared(const Tensor& weights) {
  return weights.stride(0) == 0 || weights.size(0) == 1;
}

/// A matrix of each task, [tasks, in, out], as operands: transposed views need no copy.
template <class T>
class TaskMatrices {
 public:
  explicit TaskMatrices(const Tensor& matrices)
      : matrices_(matrices.stride(2) == 1 || matrices.stride(1) == 1 ? matrices
                                                                     : matrices.contiguous()),
        data_(matrices_.const_data_ptr<T>()),
        task_stride_(matrices_.stride(0)),
        transposed_(matrices_.stride(2) != 1),
        stride_(matrices_.stride(transposed_ ? 2 : 1)) {}
  Operand<T> of(std::int64_t task) const {
    return {data_ + task * task_stride_, stride_, transposed_};
  }

 private:
  Tensor matrices_;
  const T* data_;
  std::int64_t task_stride_;
  bool transposed_;
  std::int64_t stride_;
};

/// Calls body(task, first row, rows) for every task, several tasks at a time.
template <class Body>
void for_each_task(const Segments& segments, const Body& body) {
  const auto& offsets = segments.offsets();
  at::parallel_for(0, segments.tasks(), 4, [&](std::int64_t first, std::int64_t last) {
    const SerialBlas serial;
    for (std::int64_t t = first; t < last; ++t) {
      const auto begin = offsets[static_cast<std::size_t>(t)];
      body(t, begin, offsets[static_cast<std::size_t>(t) + 1] - begin);
    }
  });
}

template <class T>
void matmul_kernel(const Tensor& rows, const Tensor& weights, const Segments& segments,
                   Tensor& result) {
  const std::int64_t in = weights.size(1), out = weights.size(2);
  const TaskMatrices<T> matrices(weights);
  const T* from = rows.const_data_ptr<T>();
  T* to = result.mutable_data_ptr<T>();
  for_each_task(segments, [&](std::int64_t t, std::int64_t begin, std::int64_t count) {
    multiply<T>(count, out, in, {from + begin * in, in}, matrices.of(t), T(0), to + begin * out,
                out);
  });
}

Tensor matmul_plain(const Tensor& rows, const Tensor& weights, const Segments& segments) {
  if (is_shared(weights)) return at::mm(rows, weights.select(0, 0));
  Tensor result = at::empty({segments.rows(), weights.size(2)}, rows.options());
  if (!rows.device().is_cpu()) {
    const auto& offsets = segments.offsets();
    for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
      if (offsets[t + 1] == offsets[t]) continue;
      Tensor out = result.slice(0, offsets[t], offsets[t + 1]);
      at::mm_out(out, rows.slice(0, offsets[t], offsets[t + 1]),
                 weights.select(0, static_cast<std::int64_t>(t)));
    }
  } else if (rows.scalar_type() == at::kDouble) {
    matmul_kernel<double>(rows.contiguous(), weights, segments, result);
  } else {
    matmul_kernel<float>(rows.contiguous(), weights, segments, result);
  }
  return result;
}

template <class T>
void outer_kernel(const Tensor& left, const Tensor& right, const Segments& segments,
                  Tensor& result) {
  const std::int64_t in = left.size(1), out = right.size(1);
  const T* from_left = left.const_data_ptr<T>();
  const T* from_right = right.const_data_ptr<T>();
  T* to = result.mutable_data_ptr<T>();
  for_each_task(segments, [&](std::int64_t t, std::int64_t begin, std::int64_t count) {
    T* matrix = to + t * in * out;
    if (count == 0) {
      std::fill_n(matrix, in * out, T(0));
    } else {
      multiply<T>(in, out, count, {from_left + begin * in, in, true},
                  {from_right + begin * out, out}, T(0), matrix, out);
    }
  });
}

Tensor outer_plain(const Tensor& left, const Tensor& right, const Segments& segments) {
  Tensor result = at::empty({segments.tasks(), left.size(1), right.size(1)}, left.options());
  if (!left.device().is_cpu()) {
    const auto& offsets = segments.offsets();
    for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
      // An empty product is zero.
      Tensor out = result.select(0, static_cast<std::int64_t>(t));
      at::mm_out(out, left.slice(0, offsets[t], offsets[t + 1]).t(),
                 right.slice(0, offsets[t], offsets[t + 1]));
    }
  } else if (left.scalar_type() == at::kDouble) {
    outer_kernel<double>(left.contiguous(), right.contiguous(), segments, result);
  } else {
    outer_kernel<float>(left.contiguous(), right.contiguous(), segments, result);
  }
  return result;
}

Segments segments_of(AutogradContext* context) {
  return Segments(c10::static_intrusive_pointer_cast<Segments::Data>(
      context->saved_data["segments"].toCapsule()));
}

void keep(AutogradContext* context, const Segments& segments) {
  context->saved_data["segments"] = c10::IValue::make_capsule(segments.data());
}

// Each pair of operations below is closed under differentiation: the backward of one is made of
// the other, which autograd records in turn when a second derivative is asked for.

struct ExpandRows : torch::autograd::Function<ExpandRows> {
  static Tensor forward(AutogradContext* context, const Tensor& by_task, const Segments& segments) {
    keep(context, segments);
    return expand_plain(by_task, segments);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {sum_rows(gradients[0], segments_of(context)), Tensor()};
  }
};

struct SumRows : torch::autograd::Function<SumRows> {
  static Tensor forward(AutogradContext* context, const Tensor& by_row, const Segments& segments) {
    keep(context, segments);
    return sum_plain(by_row, segments);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {expand_rows(gradients[0], segments_of(context)), Tensor()};
  }
};

Tensor matmul_with(const Tensor& rows, const Tensor& weights, const Segments& segments,
                   bool transposed);

/// With `transposed` each task's matrix is used as its transpose. That is not left to a view of
/// the weights, because their gradient would come back transposed too, and adding such gradients
/// up is slow.
struct GroupedMatmul : torch::autograd::Function<GroupedMatmul> {
  static Tensor forward(AutogradContext* context, const Tensor& rows, const Tensor& weights,
                        const Segments& segments, bool transposed) {
    keep(context, segments);
    context->saved_data["transposed"] = transposed;
    context->save_for_backward({rows, weights});
    return matmul_plain(rows, transposed ? weights.transpose(1, 2) : weights, segments);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Segments segments = segments_of(context);
    const bool transposed = context->saved_data["transposed"].toBool();
    variable_list result(4);
    if (context->needs_input_grad(0)) {
      result[0] = matmul_with(gradients[0], saved[1], segments, !transposed);
    }
    if (context->needs_input_grad(1)) {
      result[1] = transposed ? grouped_outer(gradients[0], saved[0], segments)
                             : grouped_outer(saved[0], gradients[0], segments);
    }
    return result;
  }
};

Tensor matmul_with(const Tensor& rows, const Tensor& weights, const Segments& segments,
                   bool transposed) {
  return GroupedMatmul::apply(rows, weights, segments, transposed);
}

struct GroupedOuter : torch::autograd::Function<GroupedOuter> {
  static Tensor forward(AutogradContext* context, const Tensor& left, const Tensor& right,
                        const Segments& segments) {
    keep(context, segments);
    context->save_for_backward({left, right});
    return outer_plain(left, right, segments);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Segments segments = segments_of(context);
    variable_list result(3);
    if (context->needs_input_grad(0)) {
      result[0] = matmul_with(saved[1], gradients[0], segments, /*transposed=*/true);
    }
    if (context->needs_input_grad(1)) {
      result[1] = matmul_with(saved[0], gradients[0], segments, /*transposed=*/false);
    }
    return result;
  }
};

}  // namespace

Segments::Segments(std::vector<std::int64_t> offsets, torch::Device device)
    : data_(c10::make_intrusive<Data>()) {
  data_->offsets = std::move(offsets);
  const auto& bounds = data_->offsets;
  Tensor counts = at::empty({tasks()}, at::kLong);
  Tensor task_of_row = at::empty({rows()}, at::kLong);
  for (std::int64_t t = 0; t < tasks(); ++t) {
    const auto begin = bounds[static_cast<std::size_t>(t)];
    const auto end = bounds[static_cast<std::size_t>(t) + 1];
    counts.data_ptr<std::int64_t>()[t] = end - begin;
    std::fill(task_of_row.data_ptr<std::int64_t>() + begin,
              task_of_row.data_ptr<std::int64_t>() + end, t);
  }
  data_->counts = counts.to(device);
  data_->task_of_row = task_of_row.to(device);
}

Tensor expand_rows(const Tensor& by_task, const Segments& segments) {
  return ExpandRows::apply(by_task, segments);
}

Tensor sum_rows(const Tensor& by_row, const Segments& segments) {
  return SumRows::apply(by_row, segments);
}

Tensor grouped_matmul(const Tensor& rows, const Tensor& weights, const Segments& segments) {
  return matmul_with(rows, weights, segments, /*transposed=*/false);
}

Tensor grouped_outer(const Tensor& left, const Tensor& right, const Segments& segments) {
  return GroupedOuter::apply(left, right, segments);
}

}  // namespace limber
