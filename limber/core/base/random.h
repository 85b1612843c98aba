#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace limber {

/// Mixes a 64-bit word so that nearby inputs give unrelated outputs (SplitMix64's finaliser).
/// Used to derive seeds and to split members by hash.
constexpr std::uint64_t mix64(std::uint64_t word) {
  word += 0x9E3779B97F4A7C15ULL;
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9ULL;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EBULL;
  return word ^ (word >> 31);
}

/// A seeded generator (xoshiro256**) whose draws are the same on every platform and library
/// version, unlike std:: distributions, and whose state can be stored for an exact resume.
class Random {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in {0, ..., bound - 1}; bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// Standard normal.
  double normal();

  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[below(i)]);
    }
  }

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_;
};

}  // namespace limber
