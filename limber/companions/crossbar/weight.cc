#include "limber/companions/crossbar/weight.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/error.h"

namespace limber::crossbar {

std::int32_t highest_code(std::int64_t bits) {
  if (bits < 1 || bits > 16) throw Error("a weight of {} bits on a crossbar: 1 to 16 fit", bits);
  return bits == 1 ? 1 : (1 << (bits - 1)) - 1;
}

CrossbarWeight quantised_weight(std::string name, std::int64_t inputs, std::int64_t outputs,
                                std::span<const float> values, std::int64_t bits, std::int64_t uses,
                                std::optional<float> scale) {
  if (inputs < 0 || outputs < 0 || static_cast<std::int64_t>(values.size()) != inputs * outputs) {
    throw Error("{}: {} values for {} inputs and {} outputs", name, values.size(), inputs, outputs);
  }
  const auto highest = static_cast<float>(highest_code(bits));
  float largest = 0;
  for (std::size_t at = 0; at < values.size(); ++at) {
    if (!std::isfinite(values[at])) {
      throw InputError(
          "{}: the weight of input {} and output {} is {}, no number; train the model again with a "
          "smaller learning rate",
          name, at / static_cast<std::size_t>(outputs), at % static_cast<std::size_t>(outputs),
          values[at]);
    }
    largest = std::max(largest, std::abs(values[at]));
  }
  if (scale && !(*scale > 0 && std::isfinite(*scale)) && largest > 0) {
    throw Error("{}: its levels are {} apart", name, *scale);
  }
  CrossbarWeight weight{std::move(name), inputs, outputs, bits, 1, {}, uses};
  weight.scale = scale.value_or(largest / highest);
  // Nothing but zeros, or numbers so small that their scale is zero: every code is zero.
  if (!(weight.scale > 0)) weight.scale = 1;
  weight.codes.reserve(values.size());
  for (const float value : values) {
    const float code = std::clamp(std::round(value / weight.scale), -highest, highest);
    weight.codes.push_back(static_cast<std::int32_t>(code));
  }
  check_weight(weight);
  return weight;
}

void check_weight(const CrossbarWeight& weight) {
  const std::int32_t highest = highest_code(weight.bits);
  if (weight.inputs < 0 || weight.outputs < 0 || weight.uses < 0 ||
      static_cast<std::int64_t>(weight.codes.size()) != weight.inputs * weight.outputs) {
    throw Error("{}: {} codes for {} inputs and {} outputs, used {} times", weight.name,
                weight.codes.size(), weight.inputs, weight.outputs, weight.uses);
  }
  for (const std::int32_t code : weight.codes) {
    if (code > highest || code < -highest) {
      throw Error("{}: code {} is beyond {}, the highest of {} bits", weight.name, code, highest,
                  weight.bits);
    }
  }
}

std::vector<float> values_of(const CrossbarWeight& weight) {
  std::vector<float> values;
  values.reserve(weight.codes.size());
  for (const std::int32_t code : weight.codes) {
    values.push_back(static_cast<float>(code) * weight.scale);
  }
  return values;
}

std::int64_t slices_of(std::int64_t bits, std::int64_t cell_bits) {
  highest_code(bits);
  if (cell_bits < 1 || cell_bits > 16) throw Error("cells of {} bits: 1 to 16 work", cell_bits);
  const std::int64_t size_bits = bits == 1 ? 1 : bits - 1;
  return (size_bits + cell_bits - 1) / cell_bits;
}

}  // namespace limber::crossbar
