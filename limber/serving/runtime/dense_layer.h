#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/artifact/artifact.h"
#include "limber/serving/runtime/aligned.h"
#include "limber/serving/runtime/packed_matrix.h"
#include "limber/serving/runtime/sparse_matrix.h"

namespace limber {

/// The tensors of one artifact by name, with their shapes checked.
class DenseTensors {
 public:
  explicit DenseTensors(const Artifact& artifact) : artifact_(artifact) {}
  bool has(const std::string& name) const { return artifact_.has_tensor(name); }
  /// Throws InputError for a tensor that is missing, not float, or of another shape.
  std::span<const float> take(const std::string& name, std::vector<std::int64_t> shape) const;
  float scalar(const std::string& name) const { return take(name, {1})[0]; }

 private:
  const Artifact& artifact_;
};

/// Fully connected layer: x [rows, in] -> x W + b [rows, out].
struct DenseLayer {
  std::int64_t in = 0, out = 0;
  AlignedFloats rows;               ///< W [in, out], rows padded(out) apart
  PackedMatrix weight, transposed;  ///< W, and its transpose for the way back
  SparseMatrix sparse;              ///< W without its zeros; empty where that is no faster
  AlignedFloats bias;               ///< [out], padded

  /// x W, by the sparse weight where there is one.
  Product product(const float* x, std::int64_t x_row, std::int64_t count) const {
    return sparse.empty() ? weight.product(x, x_row, count) : sparse.product(x, x_row, count);
  }

  /// Tensors NAME.weight and NAME.bias. `order`, if given, says which stored row each row of W is.
  static DenseLayer load(const DenseTensors& tensors, const std::string& name, std::int64_t in,
                         std::int64_t out, const std::vector<std::int64_t>& order = {});
};

/// A matrix [rows, columns] with rows and, where given, columns in another order, padded.
AlignedFloats reordered(std::span<const float> values, std::int64_t rows, std::int64_t columns,
                        const std::vector<std::int64_t>& row_order = {},
                        const std::vector<std::int64_t>& column_order = {});

/// Fully connected layers, each followed by the activation.
struct DenseStack {
  bool tanh = false;
  std::vector<DenseLayer> layers;
  std::int64_t in = 0, out = 0;

  static DenseStack load(const DenseTensors& tensors, const std::string& name, std::int64_t in,
                         const std::vector<std::int64_t>& widths, const std::string& activation,
                         const std::vector<std::int64_t>& order = {});
};

/// to = activation(x W + b), all rows.
void apply(const DenseLayer& layer, bool tanh, const float* x, std::int64_t x_row,
           std::int64_t rows, float* to);
/// to = x W + b; rows of `to` are `to_row` floats apart, 0: padded(layer.out).
void apply_linear(const DenseLayer& layer, const float* x, std::int64_t x_row, std::int64_t rows,
                  float* to, std::int64_t to_row = 0);

}  // namespace limber
