#include "limber/training/compress/convolution_layers.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"
#include "limber/training/compress/convolution_case_for_test.h"

namespace limber {
namespace {

using torch::Tensor;

/// A convolution by its definition, in loops: out(f, y, x) = b(f) + sum w(f, c, i, j) in(c, y s + i
/// - p, x s + j - p), with w taken from the matrix [inputs, outputs] that crossbars carry.
Tensor convolve(const ConvolutionLayer& layer, const Tensor& image) {
  const Tensor matrix = layer.matrix();
  const Tensor out = torch::empty({layer.output.channels, layer.output.height, layer.output.width});
  const std::int64_t size = layer.options.size;
  for (std::int64_t f = 0; f < layer.output.channels; ++f) {
    for (std::int64_t y = 0; y < layer.output.height; ++y) {
      for (std::int64_t x = 0; x < layer.output.width; ++x) {
        double sum = layer.bias[f].item<double>();
        for (std::int64_t line = 0; line < matrix.size(0); ++line) {
          const std::int64_t row = y * layer.options.stride + line / size % size;
          const std::int64_t column = x * layer.options.stride + line % size;
          const std::int64_t top = row - layer.options.padding;
          const std::int64_t left = column - layer.options.padding;
          if (top < 0 || left < 0 || top >= image.size(1) || left >= image.size(2)) continue;
          sum += matrix[line][f].item<double>() *
                 image[line / (size * size)][top][left].item<double>();
        }
        out[f][y][x] = sum;
      }
    }
  }
  return out;
}

Tensor pool(const ConvolutionLayer& layer, const Tensor& image) {
  const Tensor out = torch::empty({layer.output.channels, layer.output.height, layer.output.width});
  const LayerOptions& options = layer.options;
  for (std::int64_t y = 0; y < layer.output.height; ++y) {
    for (std::int64_t x = 0; x < layer.output.width; ++x) {
      const Tensor window = image.slice(1, y * options.stride, y * options.stride + options.size)
                                .slice(2, x * options.stride, x * options.stride + options.size);
      out.select(1, y).select(1, x).copy_(window.flatten(1).amax(1));
    }
  }
  return out;
}

TEST(ConvolutionLayers, ForwardIsWhatTheMatricesSay) {
  const torch::NoGradGuard no_grad;
  ConvolutionLayers layers(small_network());
  randomise_biases(layers);
  const Tensor images = small_images(2, 5).pixels;
  Tensor expected = images[1];
  for (const ConvolutionLayer& layer : layers.layers()) {
    if (layer.options.kind == "convolution") {
      expected = torch::relu(convolve(layer, expected));
    } else if (layer.options.kind == "max_pool") {
      expected = pool(layer, expected);
    } else {
      expected = torch::mv(layer.matrix().t(), expected.flatten()) + layer.bias;
      if (layer.options.name != "classes") expected = torch::relu(expected);
    }
  }
  const Tensor logits = layers.forward(images);
  ASSERT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, 3}));
  EXPECT_LT((logits[1] - expected).abs().max().item<double>(), 1e-4);
}

TEST(ConvolutionLayers, MatricesAreViews) {
  ConvolutionLayers layers(small_network());
  for (CompressibleWeight& weight : layers.weights()) {
    weight.matrix.fill_(2);
    weight.bias.fill_(3);
    EXPECT_EQ(weight.parameter.min().item<double>(), 2) << weight.name;
    EXPECT_EQ(weight.bias_parameter.min().item<double>(), 3) << weight.name;
    EXPECT_EQ(weight.as_matrix(weight.parameter).sizes(), weight.matrix.sizes());
    EXPECT_EQ(weight.matrix.size(1), weight.bias.size(0));
  }
}

/// Whoever is said to read a unit does, and nobody else: filling a unit's lines with 0 is the same
/// as making the unit itself 0.
TEST(ConvolutionLayers, ReadersAreThoseWhoRead) {
  const torch::NoGradGuard no_grad;
  const Tensor images = small_images(8, 5).pixels.abs();
  ConvolutionLayers plain(small_network());
  // Nothing is negative, so that no unit is silent of itself.
  for (const CompressibleWeight& weight : plain.weights()) Tensor(weight.matrix).abs_();
  for (std::size_t w = 0; w + 1 < plain.weights().size(); ++w) {
    ConvolutionLayers silent(small_network()), unread(small_network());
    for (ConvolutionLayers* other : {&silent, &unread}) {
      for (std::size_t p = 0; p < plain.parameters().size(); ++p) {
        other->parameters()[p].second.detach().copy_(plain.parameters()[p].second);
      }
    }
    CompressibleWeight weight = silent.weights()[w];
    ASSERT_TRUE(weight.removable);
    weight.matrix.select(1, 2).zero_();
    weight.bias[2] = 0;
    ASSERT_EQ(weight.readers.size(), 1U);
    const UnitReader reader = weight.readers[0];
    for (CompressibleWeight& next : unread.weights()) {
      if (next.name != reader.name) continue;
      EXPECT_EQ(next.matrix.size(0), weight.matrix.size(1) * reader.lines);
      next.matrix.slice(0, 2 * reader.lines, 3 * reader.lines).zero_();
    }
    EXPECT_TRUE(torch::allclose(silent.forward(images), unread.forward(images), 1e-5, 1e-6))
        << weight.name;
    EXPECT_GT((silent.forward(images) - plain.forward(images)).abs().max().item<double>(), 1e-4)
        << weight.name;
  }
  EXPECT_FALSE(plain.weights().back().removable);
  EXPECT_FALSE(plain.weights().back().hidden);
}

TEST(ConvolutionLayers, WithoutZeroUnitsTheFunctionIsTheSame) {
  const torch::NoGradGuard no_grad;
  ConvolutionLayers layers(small_network());
  randomise_biases(layers);
  const std::map<std::string, std::vector<std::int64_t>> kept = {
      {"c1", {0, 3, 4}}, {"c2", {1, 2}}, {"c3", {0, 1, 3}}, {"d1", {2, 3, 5, 6}}};
  for (CompressibleWeight& weight : layers.weights()) {
    if (!weight.removable) continue;
    for (std::int64_t unit = 0; unit < weight.matrix.size(1); ++unit) {
      const auto& units = kept.at(weight.name);
      if (std::find(units.begin(), units.end(), unit) != units.end()) continue;
      weight.matrix.select(1, unit).zero_();
      weight.bias[unit] = 0;
    }
  }
  const ConvolutionLayers smaller = layers.without_units(kept);
  const Tensor images = small_images(20, 6).pixels;
  EXPECT_LT((layers.forward(images) - smaller.forward(images)).abs().max().item<double>(), 1e-6);
  // c1 3 x 2 x 9, c2 2 x 3 x 4, c3 3 x 2, d1 4 x 3 x (2 x 3 pixels), classes 3 x 4.
  const std::int64_t pixels = layers.layers()[4].output.height * layers.layers()[4].output.width;
  EXPECT_EQ(smaller.weight_count(), 54 + 24 + 6 + 4 * 3 * pixels + 12);
  EXPECT_EQ(smaller.weights()[1].readers[0].lines, layers.weights()[1].readers[0].lines);
}

TEST(ConvolutionLayers, RefusesUnitsThatAreNone) {
  const ConvolutionLayers layers(small_network());
  EXPECT_THROW(layers.without_units({{"none", {0}}}), Error);
  EXPECT_THROW(layers.without_units({{"classes", {0}}}), Error);
  EXPECT_THROW(layers.without_units({{"c1", {}}}), Error);
  EXPECT_THROW(layers.without_units({{"c1", {1, 1}}}), Error);
  EXPECT_THROW(layers.without_units({{"c1", {2, 1}}}), Error);
  EXPECT_THROW(layers.without_units({{"c1", {4, 5}}}), Error);
}

}  // namespace
}  // namespace limber
