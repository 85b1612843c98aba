#include "limber/core/base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace limber {

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) {
    word = mix64(seed);
    seed += 0x9E3779B97F4A7C15ULL;
  }
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Rejection removes the bias of a plain remainder.
  const std::uint64_t limit = -bound % bound;
  for (;;) {
    const std::uint64_t word = next();
    if (word >= limit) return word % bound;
  }
}

double Random::normal() {
  // Box-Muller; the second value is dropped so that the state is only the four words.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace limber
