#include "limber/training/layers/input_assembly.h"

#include "limber/training/layers/parallel.h"

#include <cmath>
#include <cstring>

namespace limber {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The batch and layout live as long as the step that uses the graph; the holder only carries
/// their addresses through autograd.
struct Borrowed : torch::CustomClassHolder {
  const RowBatch* batch = nullptr;
  const InputLayout* layout = nullptr;
};

/// Writes the parts of one source for its unique rows: [unique rows, source width].
template <class T>
void fill_source(const SourceBatch& source, std::size_t s, const InputLayout& layout,
                 const std::vector<Tensor>& tables, T* out, std::int64_t stride) {
  for (std::size_t f = 0; f < layout.features.size(); ++f) {
    const InputFeature& feature = layout.features[f];
    if (static_cast<std::size_t>(feature.source) != s) continue;
    const FeatureBatch& values = source.features[f];
    T* column = out + feature.offset;
    if (feature.table < 0) {
      for (std::int64_t row = 0; row < source.rows; ++row) {
        const float value = values.numbers[static_cast<std::size_t>(row)];
        const bool missing = std::isnan(value);
        column[row * stride] = missing ? T(0) : static_cast<T>(value);
        if (feature.width == 2) column[row * stride + 1] = missing ? T(1) : T(0);
      }
      continue;
    }
    const T* table = tables[static_cast<std::size_t>(feature.table)].const_data_ptr<T>();
    const std::int64_t dim = feature.width;
    const std::int64_t* indices = values.indices.data();
    if (values.offsets.empty()) {
      at::parallel_for(0, source.rows, 2048, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          std::memcpy(column + row * stride, table + indices[row] * dim,
                      static_cast<std::size_t>(dim) * sizeof(T));
        }
      });
      continue;
    }
    for (std::int64_t row = 0; row < source.rows; ++row) {
      T* to = column + row * stride;
      std::fill_n(to, dim, T(0));
      const std::int64_t first = values.offsets[static_cast<std::size_t>(row)];
      const std::int64_t last = values.offsets[static_cast<std::size_t>(row) + 1];
      for (std::int64_t at = first; at < last; ++at) {
        const T* from = table + indices[at] * dim;
        for (std::int64_t c = 0; c < dim; ++c) to[c] += from[c];
      }
      if (last > first + 1) {
        const T scale = T(1) / static_cast<T>(last - first);
        for (std::int64_t c = 0; c < dim; ++c) to[c] *= scale;
      }
    }
  }
}

/// The adjoint of fill_source: adds each row's gradient to the table rows that it read.
template <class T>
void spread_source(const SourceBatch& source, std::size_t s, const InputLayout& layout,
                   const T* gradient, std::int64_t stride, std::vector<Tensor>& tables) {
  for (std::size_t f = 0; f < layout.features.size(); ++f) {
    const InputFeature& feature = layout.features[f];
    if (static_cast<std::size_t>(feature.source) != s || feature.table < 0) continue;
    Tensor& target = tables[static_cast<std::size_t>(feature.table)];
    if (!target.defined()) continue;
    const FeatureBatch& values = source.features[f];
    const T* column = gradient + feature.offset;
    T* table = target.mutable_data_ptr<T>();
    const std::int64_t dim = feature.width;
    for (std::int64_t row = 0; row < source.rows; ++row) {
      const T* from = column + row * stride;
      const bool list = !values.offsets.empty();
      const std::int64_t first = list ? values.offsets[static_cast<std::size_t>(row)] : row;
      const std::int64_t last = list ? values.offsets[static_cast<std::size_t>(row) + 1] : row + 1;
      const T scale = last > first ? T(1) / static_cast<T>(last - first) : T(0);
      for (std::int64_t at = first; at < last; ++at) {
        T* to = table + values.indices[static_cast<std::size_t>(at)] * dim;
        for (std::int64_t c = 0; c < dim; ++c) to[c] += scale * from[c];
      }
    }
  }
}

std::int64_t total_width(const InputLayout& layout) {
  std::int64_t width = 0;
  for (const std::int64_t part : layout.source_widths) width += part;
  return width;
}

template <class T>
Tensor assemble(const RowBatch& batch, const InputLayout& layout, const std::vector<Tensor>& tables,
                torch::TensorOptions options) {
  const std::int64_t width = total_width(layout);
  Tensor result = at::empty({batch.rows, width}, options);
  T* out = result.mutable_data_ptr<T>();
  std::int64_t offset = 0;
  std::vector<T> unique;
  for (std::size_t s = 0; s < batch.sources.size(); ++s) {
    const SourceBatch& source = batch.sources[s];
    const std::int64_t part = layout.source_widths[s];
    if (part > 0 && source.positions.empty()) {
      fill_source(source, s, layout, tables, out + offset, width);
    } else if (part > 0) {
      unique.resize(static_cast<std::size_t>(source.rows * part));
      fill_source(source, s, layout, tables, unique.data(), part);
      at::parallel_for(0, batch.rows, 2048, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          std::memcpy(out + row * width + offset,
                      unique.data() + source.positions[static_cast<std::size_t>(row)] * part,
                      static_cast<std::size_t>(part) * sizeof(T));
        }
      });
    }
    offset += part;
  }
  return result;
}

template <class T>
void spread(const RowBatch& batch, const InputLayout& layout, const Tensor& gradient,
            std::vector<Tensor>& tables) {
  const std::int64_t width = total_width(layout);
  const T* from = gradient.const_data_ptr<T>();
  std::int64_t offset = 0;
  std::vector<T> unique;
  for (std::size_t s = 0; s < batch.sources.size(); ++s) {
    const SourceBatch& source = batch.sources[s];
    const std::int64_t part = layout.source_widths[s];
    if (part > 0 && source.positions.empty()) {
      spread_source(source, s, layout, from + offset, width, tables);
    } else if (part > 0) {
      unique.assign(static_cast<std::size_t>(source.rows * part), T(0));
      for (std::int64_t row = 0; row < batch.rows; ++row) {
        T* to = unique.data() + source.positions[static_cast<std::size_t>(row)] * part;
        const T* row_gradient = from + row * width + offset;
        for (std::int64_t c = 0; c < part; ++c) to[c] += row_gradient[c];
      }
      spread_source(source, s, layout, unique.data(), part, tables);
    }
    offset += part;
  }
}

struct AssembleInputs : torch::autograd::Function<AssembleInputs> {
  // Autograd sees into a TensorList, not into a vector: with a vector no gradient would flow.
  static Tensor forward(AutogradContext* context, at::TensorList table_list,
                        c10::intrusive_ptr<Borrowed> borrowed, torch::TensorOptions options) {
    const variable_list tables = table_list.vec();
    context->saved_data["borrowed"] = c10::IValue::make_capsule(borrowed);
    context->save_for_backward(tables);
    const bool wide = options.dtype() == torch::kDouble;
    return wide ? assemble<double>(*borrowed->batch, *borrowed->layout, tables, options)
                : assemble<float>(*borrowed->batch, *borrowed->layout, tables, options);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto borrowed =
        c10::static_intrusive_pointer_cast<Borrowed>(context->saved_data["borrowed"].toCapsule());
    const variable_list tables = context->get_saved_variables();
    variable_list result(tables.size());
    for (std::size_t t = 0; t < tables.size(); ++t) {
      if (context->needs_input_grad(t)) result[t] = at::zeros_like(tables[t]);
    }
    const Tensor gradient = gradients[0].contiguous();
    if (gradient.scalar_type() == at::kDouble) {
      spread<double>(*borrowed->batch, *borrowed->layout, gradient, result);
    } else {
      spread<float>(*borrowed->batch, *borrowed->layout, gradient, result);
    }
    result.resize(tables.size() + 2);
    return result;
  }
};

Tensor long_tensor(const std::vector<std::int64_t>& values, torch::Device device) {
  return torch::tensor(values, torch::kLong).to(device);
}

}  // namespace

torch::Tensor assemble_inputs(const RowBatch& batch, const InputLayout& layout,
                              const std::vector<torch::Tensor>& table_rows,
                              torch::TensorOptions options) {
  if (options.device().is_cuda()) {
    return assemble_inputs_composed(batch, layout, table_rows, options);
  }
  auto borrowed = c10::make_intrusive<Borrowed>();
  borrowed->batch = &batch;
  borrowed->layout = &layout;
  return AssembleInputs::apply(at::TensorList(table_rows), borrowed, options);
}

torch::Tensor assemble_inputs_composed(const RowBatch& batch, const InputLayout& layout,
                                       const std::vector<torch::Tensor>& table_rows,
                                       torch::TensorOptions options) {
  std::vector<Tensor> sources;
  for (std::size_t s = 0; s < batch.sources.size(); ++s) {
    if (layout.source_widths[s] == 0) continue;
    const SourceBatch& source = batch.sources[s];
    std::vector<Tensor> parts;
    for (std::size_t f = 0; f < layout.features.size(); ++f) {
      const InputFeature& feature = layout.features[f];
      if (static_cast<std::size_t>(feature.source) != s) continue;
      const FeatureBatch& values = source.features[f];
      if (feature.table < 0) {
        const Tensor numbers = torch::tensor(values.numbers).to(options).unsqueeze(1);
        const Tensor missing = torch::isnan(numbers);
        parts.push_back(torch::nan_to_num(numbers));
        if (feature.width == 2) parts.push_back(missing.to(options));
        continue;
      }
      const Tensor& table = table_rows[static_cast<std::size_t>(feature.table)];
      const Tensor indices = long_tensor(values.indices, options.device());
      if (values.offsets.empty()) {
        parts.push_back(torch::embedding(table, indices));
      } else if (table.size(0) == 0) {
        parts.push_back(torch::zeros({source.rows, feature.width}, options));
      } else {
        const Tensor offsets = long_tensor(values.offsets, options.device());
        parts.push_back(std::get<0>(
            at::embedding_bag(table, indices, offsets, false, 1, false, Tensor(), true)));
      }
    }
    Tensor part = torch::cat(parts, 1);
    if (!source.positions.empty()) {
      part = torch::embedding(part, long_tensor(source.positions, options.device()));
    }
    sources.push_back(part);
  }
  return torch::cat(sources, 1);
}

}  // namespace limber
