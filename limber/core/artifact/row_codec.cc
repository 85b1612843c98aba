#include "limber/core/artifact/row_codec.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/error.h"

namespace limber {
namespace {

std::span<const float> row_of(std::span<const float> values, std::int64_t row, std::int64_t dim) {
  return values.subspan(static_cast<std::size_t>(row * dim), static_cast<std::size_t>(dim));
}

void check_size(std::span<const float> values, std::int64_t rows, std::int64_t dim) {
  if (rows < 0 || dim < 0 || static_cast<std::int64_t>(values.size()) != rows * dim) {
    throw Error("{} numbers are no table of {} rows of {}", values.size(), rows, dim);
  }
}

void check_finite(std::span<const float> values, std::int64_t rows, std::int64_t dim) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (const float value : row_of(values, r, dim)) {
      if (!std::isfinite(value)) throw Error("row {} holds {}, which is not finite", r, value);
    }
  }
}

std::vector<Half> halves_of(std::span<const float> values) {
  std::vector<Half> halves(values.size());
  std::ranges::transform(values, halves.begin(), half_of);
  return halves;
}

std::vector<float> numbers_of(const StoredTable& table, std::int64_t rows, std::int64_t dim) {
  const auto count = static_cast<std::size_t>(rows * dim);
  if (table.type == RowType::kFloat32) return {table.floats, table.floats + count};
  std::vector<float> values(count);
  if (table.type == RowType::kFloat16) {
    std::transform(table.halves, table.halves + count, values.begin(), float_of);
    return values;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = r * dim; i < (r + 1) * dim; ++i) {
      values[static_cast<std::size_t>(i)] =
          table.middles[r] + table.scales[r] * static_cast<float>(table.codes[i]);
    }
  }
  return values;
}

}  // namespace

RowType row_type_of(const std::string& word) {
  if (word == "float32") return RowType::kFloat32;
  if (word == "fp16") return RowType::kFloat16;
  if (word == "int8") return RowType::kInt8;
  throw InputError("{}: rows are stored as float32, fp16 or int8", word);
}

std::int64_t bytes_per_row(RowType type, std::int64_t dim) {
  if (type == RowType::kFloat32) return 4 * dim;
  return type == RowType::kFloat16 ? 2 * dim : dim + 8;
}

Int8Rows quantize_table(std::span<const float> values, std::int64_t rows, std::int64_t dim) {
  check_size(values, rows, dim);
  check_finite(values, rows, dim);
  Int8Rows result;
  result.codes.reserve(values.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto row = row_of(values, r, dim);
    // Doubles: the difference of two large floats may be infinite in floats.
    const auto [low, high] = std::ranges::minmax_element(row);
    const double smallest = row.empty() ? 0 : *low, largest = row.empty() ? 0 : *high;
    const auto scale = static_cast<float>((largest - smallest) / 255);
    const auto middle = static_cast<float>((128 * largest + 127 * smallest) / 255);
    if (!std::isfinite(-128 * scale)) {
      throw Error("row {} reaches from {} to {}, too far for floats", r, smallest, largest);
    }
    result.scales.push_back(scale);
    result.middles.push_back(middle);
    for (const float value : row) {
      // A scale of 0 also stands for a spread below the smallest float.
      const double steps = scale == 0 ? 0 : std::round((double{value} - middle) / scale);
      // Scale and middle are rounded themselves, so an end point may land just outside.
      result.codes.push_back(static_cast<std::int8_t>(std::clamp(steps, -128.0, 127.0)));
    }
  }
  return result;
}

OwnedTensors encode_table(const std::string& name, std::span<const float> values, std::int64_t rows,
                          std::int64_t dim, RowType type) try {
  check_size(values, rows, dim);
  check_finite(values, rows, dim);
  OwnedTensors tensors;
  if (type == RowType::kFloat32) tensors.add(name, {rows, dim}, values);
  if (type == RowType::kFloat16) {
    tensors.add(name, {rows, dim}, halves_of(values));
  }
  if (type == RowType::kInt8) {
    const Int8Rows quantized = quantize_table(values, rows, dim);
    tensors.add(name, {rows, dim}, quantized.codes);
    tensors.add(name + ".scale", {rows}, quantized.scales);
    tensors.add(name + ".middle", {rows}, quantized.middles);
  }
  return tensors;
} catch (const Error& error) {
  throw Error("{}: {}", name, error.what());
}

StoredTable stored_table(const Artifact& artifact, const std::string& name, std::int64_t rows,
                         std::int64_t dim) {
  const std::string manifest = (artifact.folder() / kManifestName).string();
  const auto take = [&](const std::string& tensor_name,
                        const std::vector<std::int64_t>& shape) -> const Tensor& {
    const Tensor& tensor = artifact.tensor(tensor_name);
    if (tensor.shape == shape) return tensor;
    throw InputError("{}: tensor {} does not have the shape that the config asks for", manifest,
                     tensor_name);
  };
  const auto refuse = [&](const Tensor& tensor) {
    throw InputError("{}: tensor {} holds {}, which no table is stored as; publish the model again",
                     manifest, tensor.name, name_of(tensor.type));
  };
  const auto floats = [&](const std::string& ending) {
    const Tensor& tensor = take(name + ending, {rows});
    if (tensor.type != DataType::kF32) refuse(tensor);
    const auto values = tensor.values<float>();
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
      throw InputError("{}: damaged: tensor {} has values that are not finite; publish it again",
                       manifest, tensor.name);
    }
    return values.data();
  };
  const Tensor& stored = take(name, {rows, dim});
  StoredTable table;
  switch (stored.type) {
    case DataType::kF32:
      table.floats = stored.values<float>().data();
      break;
    case DataType::kF16:
      table.type = RowType::kFloat16;
      table.halves = stored.values<Half>().data();
      break;
    case DataType::kI8:
      table.type = RowType::kInt8;
      table.codes = stored.values<std::int8_t>().data();
      table.scales = floats(".scale");
      table.middles = floats(".middle");
      break;
    default:
      refuse(stored);
  }
  return table;
}

std::vector<float> read_rows(const Artifact& artifact, const std::string& name, std::int64_t rows,
                             std::int64_t dim) {
  return numbers_of(stored_table(artifact, name, rows, dim), rows, dim);
}

std::vector<float> rounded_rows(std::span<const float> values, std::int64_t rows, std::int64_t dim,
                                RowType type) {
  StoredTable table{.type = type};
  if (type == RowType::kFloat16) {
    const std::vector<Half> halves = halves_of(values);
    table.halves = halves.data();
    return numbers_of(table, rows, dim);
  }
  if (type == RowType::kInt8) {
    const Int8Rows quantized = quantize_table(values, rows, dim);
    table.codes = quantized.codes.data();
    table.scales = quantized.scales.data();
    table.middles = quantized.middles.data();
    return numbers_of(table, rows, dim);
  }
  return {values.begin(), values.end()};
}

}  // namespace limber
