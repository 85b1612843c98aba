#include "limber/core/artifact/tensor.h"

#include <array>

namespace limber {
namespace {

struct Row {
  DataType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Row, 7> kTypes = {{{DataType::kF64, "F64", 8},
                                        {DataType::kF32, "F32", 4},
                                        {DataType::kF16, "F16", 2},
                                        {DataType::kI64, "I64", 8},
                                        {DataType::kI32, "I32", 4},
                                        {DataType::kI8, "I8", 1},
                                        {DataType::kU8, "U8", 1}}};

const Row& row_of(DataType type) {
  for (const Row& row : kTypes) {
    if (row.type == type) return row;
  }
  throw Error("{} is not a tensor type", static_cast<int>(type));
}

}  // namespace

std::size_t size_of(DataType type) {
  return row_of(type).size;
}

std::string_view name_of(DataType type) {
  return row_of(type).name;
}

std::optional<DataType> find_data_type(std::string_view name) {
  for (const Row& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

std::optional<std::int64_t> count_elements(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  bool is_empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    // A zero must not hide that the other sizes overflow: [2^40, 2^40, 0] is refused like
    // [0, 2^40, 2^40], whatever the order.
    if (size == 0) {
      is_empty = true;
    } else if (__builtin_mul_overflow(count, size, &count)) {
      return std::nullopt;
    }
  }
  return is_empty ? 0 : count;
}

}  // namespace limber
