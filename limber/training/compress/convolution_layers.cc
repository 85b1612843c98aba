#include "limber/training/compress/convolution_layers.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "limber/core/base/error.h"

namespace limber {
namespace {

using torch::Tensor;

Tensor draw(const std::vector<std::int64_t>& shape, std::int64_t inputs, at::Generator& generator) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(inputs));
  return torch::empty(shape).normal_(0, deviation, generator).requires_grad_();
}

/// The place of the next layer with a weight; layers.size() where there is none.
std::size_t next_weight(const std::vector<ConvolutionLayer>& layers, std::size_t i) {
  for (++i; i < layers.size(); ++i) {
    if (layers[i].has_weight()) break;
  }
  return i;
}

/// Rows of the reader's matrix for each unit of the layer before: a filter's places where it is a
/// convolution, the pixels of a channel where it is dense.
std::int64_t lines_of(const ConvolutionLayer& reader) {
  return reader.options.kind == "convolution" ? reader.options.size * reader.options.size
                                              : reader.input.height * reader.input.width;
}

/// Everything but the units of `kept`, taken out of the parameters.
void keep_units(ConvolutionLayer& layer, const Tensor& kept) {
  layer.weight = layer.weight.detach().index_select(0, kept).clone().requires_grad_();
  layer.bias = layer.bias.detach().index_select(0, kept).clone().requires_grad_();
  layer.options.units = kept.size(0);
}

/// The same for what a layer reads.
void keep_inputs(ConvolutionLayer& reader, const Tensor& kept) {
  const Tensor weight = reader.weight.detach();
  const std::int64_t outputs = weight.size(0), channels = reader.input.channels;
  Tensor chosen = weight.view({outputs, channels, -1}).index_select(1, kept);
  chosen = reader.options.kind == "convolution"
               ? chosen.view({outputs, kept.size(0), weight.size(2), weight.size(3)})
               : chosen.flatten(1);
  reader.weight = chosen.clone().requires_grad_();
}

}  // namespace

std::int64_t ConvolutionLayer::uses() const {
  return options.kind == "convolution" ? output.height * output.width : 1;
}

ConvolutionLayers::ConvolutionLayers(const NetworkConfig& config) {
  at::Generator generator = at::detail::createCPUGenerator(config.train.seed);
  const std::vector<LayerShape> shapes = layer_shapes(config, "the config");
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    ConvolutionLayer layer{config.layers[i], shapes[i], shapes[i + 1], {}, {}};
    const LayerOptions& options = layer.options;
    if (options.kind == "convolution") {
      layer.weight = draw({options.units, layer.input.channels, options.size, options.size},
                          layer.input.channels * options.size * options.size, generator);
    } else if (options.kind == "dense") {
      layer.weight =
          draw({options.units, layer.input.elements()}, layer.input.elements(), generator);
    }
    if (layer.has_weight()) layer.bias = torch::zeros({options.units}).requires_grad_();
    layers_.push_back(std::move(layer));
  }
}

Tensor ConvolutionLayers::forward(Tensor images) const {
  Tensor values = std::move(images);
  for (const ConvolutionLayer& layer : layers_) {
    const LayerOptions& options = layer.options;
    if (options.kind == "max_pool") {
      values =
          torch::max_pool2d(values, {options.size, options.size}, {options.stride, options.stride});
      continue;
    }
    if (options.kind == "convolution") {
      values = torch::conv2d(values, layer.weight, layer.bias, {options.stride, options.stride},
                             {options.padding, options.padding});
    } else {
      values = torch::addmm(layer.bias, values.flatten(1), layer.weight.t());
    }
    if (&layer != &layers_.back()) values = torch::relu(values);
  }
  return values;
}

std::vector<std::pair<std::string, Tensor>> ConvolutionLayers::parameters() const {
  std::vector<std::pair<std::string, Tensor>> found;
  for (const ConvolutionLayer& layer : layers_) {
    if (!layer.has_weight()) continue;
    found.emplace_back(layer.options.name + ".weight", layer.weight);
    found.emplace_back(layer.options.name + ".bias", layer.bias);
  }
  return found;
}

std::vector<CompressibleWeight> ConvolutionLayers::weights() const {
  std::vector<CompressibleWeight> found;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const ConvolutionLayer& layer = layers_[i];
    if (!layer.has_weight()) continue;
    CompressibleWeight weight;
    weight.name = layer.options.name;
    weight.matrix = layer.matrix();
    weight.bias = layer.bias.detach();
    weight.parameter = layer.weight;
    weight.bias_parameter = layer.bias;
    weight.as_matrix = ConvolutionLayer::as_matrix;
    if (const std::size_t reader = next_weight(layers_, i); reader < layers_.size()) {
      weight.removable = weight.hidden = true;
      weight.readers = {{layers_[reader].options.name, true, lines_of(layers_[reader])}};
    }
    found.push_back(std::move(weight));
  }
  return found;
}

std::int64_t ConvolutionLayers::weight_count() const {
  std::int64_t count = 0;
  for (const ConvolutionLayer& layer : layers_) {
    if (layer.has_weight()) count += layer.weight.numel();
  }
  return count;
}

ConvolutionLayers ConvolutionLayers::without_units(
    const std::map<std::string, std::vector<std::int64_t>>& kept) const {
  ConvolutionLayers smaller;
  smaller.layers_ = layers_;
  for (ConvolutionLayer& layer : smaller.layers_) {
    if (!layer.has_weight()) continue;
    layer.weight = layer.weight.detach().clone().requires_grad_();
    layer.bias = layer.bias.detach().clone().requires_grad_();
  }
  for (const auto& [name, units] : kept) {
    const auto found = std::find_if(
        smaller.layers_.begin(), smaller.layers_.end(),
        [&](const auto& layer) { return layer.has_weight() && layer.options.name == name; });
    if (found == smaller.layers_.end()) throw Error("there is no layer {} to prune", name);
    const auto place = static_cast<std::size_t>(found - smaller.layers_.begin());
    const std::size_t reader = next_weight(smaller.layers_, place);
    if (reader == smaller.layers_.size()) throw Error("{} gives the classes", name);
    const bool ascending =
        std::adjacent_find(units.begin(), units.end(), std::greater_equal<>()) == units.end();
    if (units.empty() || !ascending || units.front() < 0 || units.back() >= found->weight.size(0)) {
      throw Error("{}: the units to keep are not ascending places of units", name);
    }
    const Tensor index = torch::tensor(units);
    keep_units(*found, index);
    keep_inputs(smaller.layers_[reader], index);
    // Pools in between have as many channels as the layer.
    found->output.channels = index.size(0);
    for (std::size_t i = place + 1; i <= reader; ++i) {
      smaller.layers_[i].input.channels = index.size(0);
      if (i < reader) smaller.layers_[i].output.channels = index.size(0);
    }
  }
  return smaller;
}

}  // namespace limber
