#include "limber/serving/runtime/dense_layer.h"

#include "limber/core/base/error.h"
#include "limber/serving/runtime/row_kernels.h"

namespace limber {

std::span<const float> DenseTensors::take(const std::string& name,
                                          std::vector<std::int64_t> shape) const {
  const Tensor& tensor = artifact_.tensor(name);
  if (tensor.shape != shape || tensor.type != DataType::kF32) {
    throw InputError("{}: tensor {} does not have the shape that the config asks for",
                     (artifact_.folder() / kManifestName).string(), name);
  }
  return tensor.values<float>();
}

AlignedFloats reordered(std::span<const float> values, std::int64_t rows, std::int64_t columns,
                        const std::vector<std::int64_t>& row_order,
                        const std::vector<std::int64_t>& column_order) {
  AlignedFloats result(rows * padded(columns));
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t from = row_order.empty() ? i : row_order[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t at = column_order.empty() ? j : column_order[static_cast<std::size_t>(j)];
      result[i * padded(columns) + j] = values[static_cast<std::size_t>(from * columns + at)];
    }
  }
  return result;
}

DenseLayer DenseLayer::load(const DenseTensors& tensors, const std::string& name, std::int64_t in,
                            std::int64_t out, const std::vector<std::int64_t>& order) {
  DenseLayer layer;
  layer.in = in;
  layer.out = out;
  layer.rows = reordered(tensors.take(name + ".weight", {in, out}), in, out, order);
  layer.bias = reordered(tensors.take(name + ".bias", {out}), 1, out);
  layer.weight = PackedMatrix(layer.rows.data(), in, out, padded(out));
  layer.transposed = PackedMatrix::transposed(layer.rows.data(), in, out, padded(out));
  layer.sparse = SparseMatrix::where_faster(layer.rows.data(), in, out, padded(out));
  return layer;
}

DenseStack DenseStack::load(const DenseTensors& tensors, const std::string& name, std::int64_t in,
                            const std::vector<std::int64_t>& widths, const std::string& activation,
                            const std::vector<std::int64_t>& order) {
  DenseStack stack;
  stack.tanh = activation == "tanh";
  stack.in = stack.out = in;
  for (const std::int64_t width : widths) {
    const std::string layer = name + ".layer" + std::to_string(stack.layers.size());
    stack.layers.push_back(
        DenseLayer::load(tensors, layer, stack.out, width,
                         stack.layers.empty() ? order : std::vector<std::int64_t>{}));
    stack.out = width;
  }
  return stack;
}

void apply_linear(const DenseLayer& layer, const float* x, std::int64_t x_row, std::int64_t rows,
                  float* to, std::int64_t to_row) {
  Product product = layer.product(x, x_row, rows);
  product.start = layer.bias.data();
  product.c = to;
  product.c_row = to_row > 0 ? to_row : padded(layer.out);
  multiply(product);
}

void apply(const DenseLayer& layer, bool tanh, const float* x, std::int64_t x_row,
           std::int64_t rows, float* to) {
  Product product = layer.product(x, x_row, rows);
  product.start = layer.bias.data();
  product.c = to;
  product.c_row = padded(layer.out);
  product.finish = tanh ? Finish::kNone : Finish::kRelu;
  multiply(product);
  if (tanh) tanh_rows(to, padded(layer.out), rows, layer.out);
}

}  // namespace limber
