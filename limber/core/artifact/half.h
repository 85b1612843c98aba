#pragma once

#include <bit>
#include <cstdint>

#include "limber/core/artifact/tensor.h"

/// Numbers of half precision (IEEE 754 binary16): a sign, 5 bits of exponent, 10 of fraction.
namespace limber {

/// The largest finite number of half precision.
inline constexpr float kLargestHalf = 65504;

/// Exact: every half is a float. A NaN stays one, with its bits.
inline float float_of(Half half) {
  const std::uint32_t sign = (half.bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (half.bits >> 10U) & 0x1FU, fraction = half.bits & 0x3FFU;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | fraction << 13U);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23U | fraction << 13U);
  // Below the normal range the fraction counts steps of 2^-24.
  const float size = static_cast<float>(fraction) * 0x1p-24F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(size));
}

/// The nearest half, the even one of two. A finite number beyond the range becomes the largest
/// finite half rather than infinity, which would spoil every product that it meets; infinity and
/// NaN stay what they are.
inline Half half_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const std::uint32_t size = bits & 0x7FFFFFFFU;
  const auto with_sign = [&](std::uint32_t rest) {
    return Half{static_cast<std::uint16_t>(sign | rest)};
  };
  if (size > 0x7F800000U) {
    const std::uint32_t fraction = size >> 13U & 0x3FFU;
    return with_sign(0x7C00U | (fraction != 0 ? fraction : 0x200U));
  }
  if (size == 0x7F800000U) return with_sign(0x7C00U);
  if (size > std::bit_cast<std::uint32_t>(kLargestHalf)) return with_sign(0x7BFFU);
  if (size < std::bit_cast<std::uint32_t>(0x1p-14F)) {
    // Adding 0.5 leaves steps of 2^-24 in the float, so the addition itself rounds, to even.
    const float shifted = std::bit_cast<float>(size) + 0.5F;
    return with_sign(std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F));
  }
  // Adds just under half a step, and the last kept bit: a tie goes up only from an odd number.
  const std::uint32_t rounded = size + 0xFFFU + (size >> 13U & 1U);
  return with_sign((rounded >> 13U) - (112U << 10U));
}

}  // namespace limber
