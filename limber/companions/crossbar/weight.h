#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace limber::crossbar {

/// A weight as memory cells hold it: whole numbers and one scale. A row is one input (a word line
/// of a crossbar), a column one output (a unit, or a convolution's filter).
struct CrossbarWeight {
  std::string name;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  /// Bits of a code, its sign among them.
  std::int64_t bits = 8;
  /// weight = code * scale.
  float scale = 1;
  /// [inputs, outputs], row after row, each at most highest_code(bits) in size.
  std::vector<std::int32_t> codes;
  /// Times that the weight is used in one inference: 1, or a convolution's output positions.
  std::int64_t uses = 1;
  /// Weights that were not pruned; -1: those whose codes are not 0. One that rounding has made 0
  /// was not pruned: it is trained and stored.
  std::int64_t kept = -1;
};

/// 2^(bits - 1) - 1, the largest size of a code; 1 for one bit, whose codes are -1, 0 and 1,
/// because a pair of cells that are both at the bottom is zero. Throws Error unless 1 <= bits
/// <= 16.
std::int32_t highest_code(std::int64_t bits);

/// The nearest codes of `values`, [inputs, outputs]. Without `scale` the largest value gets the
/// highest code; with it (the levels that the values were trained on) codes beyond the highest are
/// clamped. Throws InputError for a value that is not finite, Error for sizes that do not fit.
CrossbarWeight quantised_weight(std::string name, std::int64_t inputs, std::int64_t outputs,
                                std::span<const float> values, std::int64_t bits,
                                std::int64_t uses = 1, std::optional<float> scale = std::nullopt);

/// Throws Error where sizes, bits or a code break what CrossbarWeight says.
void check_weight(const CrossbarWeight& weight);

/// code * scale, [inputs, outputs].
std::vector<float> values_of(const CrossbarWeight& weight);

/// Memory cells of `cell_bits` bits that the size of a code of `bits` bits is spread over.
std::int64_t slices_of(std::int64_t bits, std::int64_t cell_bits);

/// One cell's part of a code: its bits [slice * cell_bits, (slice + 1) * cell_bits), with the
/// code's sign. The sum of digit * 2^(slice * cell_bits) over slices is the code.
inline std::int32_t digit_of(std::int32_t code, std::int64_t slice, std::int64_t cell_bits) {
  const std::int32_t size = code < 0 ? -code : code;
  const std::int32_t digit = (size >> (slice * cell_bits)) & ((1 << cell_bits) - 1);
  return code < 0 ? -digit : digit;
}

}  // namespace limber::crossbar
