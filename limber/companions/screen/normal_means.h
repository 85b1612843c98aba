#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace limber::screen {

/// The sparse normal means problem: z_j ~ N(theta_j, 1), most theta_j zero. Each function returns
/// its estimates of theta.

/// The posterior means of the fitted mixture: what screening uses.
std::vector<double> mixture_means(std::span<const double> z);
/// Soft thresholding at sqrt(2 log p) (Donoho and Johnstone 1994).
std::vector<double> soft_universal(std::span<const double> z);
/// Soft thresholding at the threshold with the smallest unbiased risk estimate (1995).
std::vector<double> soft_sure(std::span<const double> z);
/// Soft thresholding at the threshold with the smallest true loss: no one can know it.
std::vector<double> soft_oracle(std::span<const double> z, std::span<const double> theta);
/// Positive-part James-Stein.
std::vector<double> james_stein(std::span<const double> z);

/// Where the means that are not zero come from.
enum class Signal {
  kPoint,     ///< all at +3
  kTwoSided,  ///< +3 or -3
  kNormal,    ///< N(0, 3^2)
};

struct NormalMeans {
  std::vector<double> theta, z;
};

/// `p` means of which a share `sparsity`, rounded, is not zero.
NormalMeans draw_normal_means(Signal signal, std::size_t p, double sparsity, std::uint64_t seed);

/// Mean squared error.
double squared_error(std::span<const double> estimate, std::span<const double> theta);

std::string signal_name(Signal signal);

}  // namespace limber::screen
