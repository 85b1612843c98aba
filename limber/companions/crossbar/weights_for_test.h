#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "limber/companions/crossbar/weight.h"
#include "limber/core/base/random.h"

namespace limber::crossbar {

/// Codes drawn evenly from -highest ... highest; each is kept with probability `share`, else zero.
inline CrossbarWeight random_weight(Random& random, std::int64_t inputs, std::int64_t outputs,
                                    std::int64_t bits, double share = 1) {
  CrossbarWeight weight{"weight", inputs, outputs, bits, 0.037F, {}, 1};
  const std::int32_t highest = highest_code(bits);
  for (std::int64_t i = 0; i < inputs * outputs; ++i) {
    const auto drawn =
        static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(2 * highest + 1)));
    weight.codes.push_back(random.uniform() < share ? drawn - highest : 0);
  }
  return weight;
}

/// No digit is zero: every code is the highest, or its negative.
inline CrossbarWeight full_weight(std::int64_t inputs, std::int64_t outputs, std::int64_t bits) {
  CrossbarWeight weight{"weight", inputs, outputs, bits, 0.01F, {}, 1};
  for (std::int64_t i = 0; i < inputs * outputs; ++i) {
    weight.codes.push_back(i % 2 == 0 ? highest_code(bits) : -highest_code(bits));
  }
  return weight;
}

/// The weight with its inputs and outputs in another order, or with fewer of them.
inline CrossbarWeight selected(const CrossbarWeight& weight, const std::vector<std::size_t>& inputs,
                               const std::vector<std::size_t>& outputs) {
  CrossbarWeight result = weight;
  result.inputs = static_cast<std::int64_t>(inputs.size());
  result.outputs = static_cast<std::int64_t>(outputs.size());
  result.codes.clear();
  for (const std::size_t i : inputs) {
    for (const std::size_t o : outputs) {
      result.codes.push_back(weight.codes[i * static_cast<std::size_t>(weight.outputs) + o]);
    }
  }
  return result;
}

}  // namespace limber::crossbar
