#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace limber {

/// A matrix as whole numbers times one scale.
struct Levels {
  torch::Tensor codes;  ///< [inputs, outputs], int8, on the CPU
  float scale = 0;

  /// scale * codes, float, on the CPU.
  torch::Tensor values() const { return codes.to(torch::kFloat) * scale; }
};

/// The highest code of that many bits, the sign among them: 2^(bits - 1) - 1. A weight is the
/// difference of a pair of conductances, one for each sign; the lowest conductance of both cancels,
/// so that code 0 is both cells at their lowest, and levels are evenly spaced through 0.
std::int64_t highest_code(std::int64_t bits);

/// Nearest codes of `matrix` for a scale above 0: exact, as levels are evenly spaced.
torch::Tensor nearest_codes(const torch::Tensor& matrix, float scale, std::int64_t bits);

/// The levels nearest to `matrix` [inputs, outputs] in the sum of squares (Yuan et al. 2019, arXiv
/// 1908.11691, section on quantisation): for given codes C the best scale is
///
///     q = <W, C> / <C, C>,   with the error <W, W> - <W, C>^2 / <C, C>.
///
/// Where elements times codes are few, every C that is nearest to W for some scale is looked at, so
/// that the result is the best there is. Where they are many, codes and scale are optimised in
/// turn, neither of which can raise the error, until they stand still, from the best of many first
/// scales; over many elements the error is smooth enough for that. Elements that `mask` leaves out
/// are 0 and have no say; an undefined mask leaves out none. Zeros stay 0. `bits`: 2 to 8.
Levels fit_levels(const torch::Tensor& matrix, std::int64_t bits, const torch::Tensor& mask = {});

}  // namespace limber
