#include "apps/network_crossbars.h"

#include <fmt/format.h>

#include <optional>
#include <span>

#include "limber/training/compress/convolution_network.h"

namespace limber {
namespace {

crossbar::CrossbarWeight crossbar_weight(const ConvolutionLayer& layer,
                                         const CompressedWeight* weight, std::int64_t bits) {
  const torch::Tensor matrix = layer.matrix().contiguous();
  const std::span<const float> values(matrix.const_data_ptr<float>(),
                                      static_cast<std::size_t>(matrix.numel()));
  std::optional<float> scale;
  const bool has_codes = weight != nullptr && weight->codes.defined();
  // A scale of 0 is that of a weight which is 0 everywhere.
  if (has_codes && weight->scale > 0) scale = weight->scale;
  auto mapped =
      crossbar::quantised_weight(layer.options.name, matrix.size(0), matrix.size(1), values,
                                 has_codes ? bits : crossbar::kBaselineBits, layer.uses(), scale);
  // Removed units are gone from the matrix; lines and tiles are zeros within it.
  const bool masked = weight != nullptr && weight->mask.defined() && weight->kept_units.empty();
  mapped.kept = masked ? weight->mask.sum().item<std::int64_t>() : matrix.numel();
  return mapped;
}

/// Accuracy of chips whose weights differ from what was written.
crossbar::MonteCarloResult draw_chips(const crossbar::CrossbarMapping& mapping,
                                      const ConvolutionLayers& layers, const ImagePart& part,
                                      std::uint64_t seed) {
  ConvolutionLayers chip = layers.without_units({});
  const std::vector<CompressibleWeight> weights = chip.weights();
  return crossbar::run_monte_carlo(
      mapping, seed, [&](const std::vector<std::vector<float>>& drawn) {
        for (std::size_t i = 0; i < weights.size(); ++i) {
          const torch::Tensor values = torch::tensor(drawn[i]).view(weights[i].matrix.sizes());
          torch::Tensor(weights[i].matrix).copy_(values);
        }
        return ConvolutionNetwork::quality(chip, part).metric;
      });
}

}  // namespace

crossbar::CrossbarReport network_crossbars(const CompressedConvolutions& compressed,
                                           const ConvolutionLayers& before,
                                           const CompressionResult& result, const ImagePart& part) {
  std::vector<crossbar::DenseLayer> dense;
  for (const ConvolutionLayer& layer : before.layers()) {
    if (!layer.has_weight()) continue;
    const torch::Tensor matrix = layer.matrix();
    dense.push_back({layer.options.name, matrix.size(0), matrix.size(1), layer.uses()});
  }
  std::vector<crossbar::CrossbarWeight> weights;
  for (const ConvolutionLayer& layer : compressed.layers.layers()) {
    if (!layer.has_weight()) continue;
    weights.push_back(
        crossbar_weight(layer, result.find(layer.options.name), compressed.config.compress.bits));
  }
  const auto mapping =
      crossbar::map_network(std::move(weights), compressed.config.compress.crossbar);
  auto report = crossbar::compare(dense, crossbar::kBaselineBits, mapping);
  report.title = fmt::format("{} on crossbars", compressed.config.name);
  report.metric_name = "accuracy";
  report.notes = {
      fmt::format("A network of {} weights trained on {}-pixel images; VGG-16 and ResNet-18 have "
                  "millions. A small network has less to spare, and its crossbars are not full, so "
                  "area and power fall in other steps than weights do.",
                  before.weight_count(), before.layers().front().input.elements()),
      "A convolution's crossbars are read once for each place of its filters."};
  report.chips = draw_chips(mapping, compressed.layers, part, compressed.config.train.seed);
  return report;
}

}  // namespace limber
