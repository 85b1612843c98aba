#pragma once

#include <array>
#include <string_view>

namespace limber::crossbar {

/// What "An Ultra-Efficient Memristor-Based DNN Framework with Structured Weight Pruning and
/// Quantization Using ADMM" (arXiv 1908.11691, abstract) states of a network.
struct PublishedResult {
  std::string_view network;
  double weight_compression;  ///< times fewer weights
  double power_reduction;     ///< shares
  double area_reduction;
  double accuracy_loss;
};

inline constexpr std::array<PublishedResult, 2> kPublished = {
    PublishedResult{"VGG-16", 29.81, 0.9838, 0.9829, 0.005},
    PublishedResult{"ResNet-18", 20.88, 0.9696, 0.9747, 0.0076},
};

/// Why our figures and those are not the same measurement, in sentences for the report.
inline constexpr std::array<std::string_view, 4> kWhatDiffers = {
    "The published figures are for convolutional image networks; they say nothing about a ranking "
    "network, whose dense layers are small beside its embedding tables, which stay in memory.",
    "Their circuit, its constants, the bits of their baseline and the size of their blocks are not "
    "stated with the figures. Here the constants are ISAAC's at 32 nm, and before compression "
    "every weight is laid out dense.",
    "Here weights that are zero between others keep their cells; only whole word lines and pairs "
    "of bit lines are left out, so area may fall by less than the number of weights does.",
    "Buffers, buses, routers, activations and leakage are in neither of our two columns, so the "
    "reduction of a whole chip would be another.",
};

}  // namespace limber::crossbar
