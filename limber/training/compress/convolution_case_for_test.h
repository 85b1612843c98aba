#pragma once

#include <torch/torch.h>

#include <string>

#include "limber/core/base/random.h"
#include "limber/training/compress/convolution_network.h"

namespace limber {

/// A network with everything that one may hold, on images small enough for many steps a second: two
/// convolutions with a pool behind each, a third without, two dense layers.
inline NetworkConfig small_network() {
  return parse_network_config(R"(name: small
images: {file: none.csv, width: 9, height: 8, channels: 2}
layers:
  - {name: c1, kind: convolution, units: 5, size: 3, padding: 1}
  - {kind: max_pool, size: 2}
  - {name: c2, kind: convolution, units: 6, size: 2, stride: 1}
  - {kind: max_pool, size: 2, stride: 1}
  - {name: c3, kind: convolution, units: 4, size: 1}
  - {name: d1, kind: dense, units: 7}
  - {name: classes, kind: dense, units: 3}
train: {epochs: 4, batch: 16, learning_rate: 0.01, seed: 3}
)",
                              "small.yaml");
}

/// Noise with a bright third: the upper left, the upper right, or the lower half is the class.
inline ImagePart small_images(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  ImagePart part{torch::empty({count, 2, 8, 9}), torch::empty({count}, torch::kLong)};
  auto pixels = part.pixels.accessor<float, 4>();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::int64_t>(random.below(3));
    part.classes[i] = label;
    for (int channel = 0; channel < 2; ++channel) {
      for (int row = 0; row < 8; ++row) {
        for (int column = 0; column < 9; ++column) {
          const int third = row >= 4 ? 2 : column >= 5 ? 1 : 0;
          pixels[i][channel][row][column] =
              static_cast<float>(0.3 * random.normal() + (third == label ? 1.5 : 0));
        }
      }
    }
  }
  return part;
}

inline ImageData small_data() {
  return {small_images(150, 1), small_images(40, 2), small_images(60, 3), "small"};
}

inline void randomise_biases(ConvolutionLayers& layers) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : layers.parameters()) {
    if (name.ends_with(".bias")) tensor.detach().normal_();
  }
}

}  // namespace limber
