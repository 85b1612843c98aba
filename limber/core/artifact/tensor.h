#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "limber/core/base/error.h"

namespace limber {

/// Element types that an artifact stores, by their names in the safetensors format: F64, F32, F16,
/// I64, I32, I8, U8.
enum class DataType { kF64, kF32, kF16, kI64, kI32, kI8, kU8 };

/// The bits of an IEEE 754 number of half precision.
struct Half {
  std::uint16_t bits;
};

std::size_t size_of(DataType type);
std::string_view name_of(DataType type);
std::optional<DataType> find_data_type(std::string_view name);

template <class T>
constexpr DataType data_type_of() {
  if constexpr (std::is_same_v<T, double>) return DataType::kF64;
  if constexpr (std::is_same_v<T, float>) return DataType::kF32;
  if constexpr (std::is_same_v<T, Half>) return DataType::kF16;
  if constexpr (std::is_same_v<T, std::int64_t>) return DataType::kI64;
  if constexpr (std::is_same_v<T, std::int32_t>) return DataType::kI32;
  if constexpr (std::is_same_v<T, std::int8_t>) return DataType::kI8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return DataType::kU8;
}

/// A named view of a dense row-major array; whoever made it keeps the bytes alive.
struct Tensor {
  std::string name;
  DataType type = DataType::kF32;
  std::vector<std::int64_t> shape;   ///< empty for a scalar
  std::span<const std::byte> bytes;  ///< little-endian, elements x size_of(type)

  /// The elements as T. Throws Error when T is not the tensor's type.
  template <class T>
  std::span<const T> values() const {
    if (data_type_of<T>() != type) {
      throw Error("tensor {} holds {}, not {}", name, name_of(type), name_of(data_type_of<T>()));
    }
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// A tensor that views `values`.
template <class T>
Tensor make_tensor(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
  return {std::move(name), data_type_of<T>(), std::move(shape), std::as_bytes(values)};
}

/// Product of the sizes, 1 for a scalar; nothing where a size is negative or the product does not
/// fit in 63 bits.
std::optional<std::int64_t> count_elements(std::span<const std::int64_t> shape);

}  // namespace limber
