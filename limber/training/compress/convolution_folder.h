#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limber/training/compress/compress_network.h"
#include "limber/training/compress/convolution_layers.h"

namespace limber {

/// A network after compression: what compress_network() left, without the units that it pruned.
struct CompressedConvolutions {
  NetworkConfig config;  ///< units as they are left
  ConvolutionLayers layers;
  std::map<std::string, std::vector<std::int64_t>> kept_units;  ///< of layers that lost some
};

/// Takes out the units that `result` lists as pruned.
CompressedConvolutions shrink(const NetworkConfig& config, const ConvolutionLayers& layers,
                              const CompressionResult& result);

/// What a layer's weight is stored as, and in how much.
struct StoredLayer {
  std::string name;
  std::int64_t weights_before = 0;
  std::int64_t weights_after = 0;  ///< without what is pruned
  std::int64_t bits = 32;          ///< of a weight
  std::int64_t bytes = 0;          ///< weight, scale and map, and the bias, as they are in the file
};

struct StoredNetwork {
  std::filesystem::path folder;
  std::vector<StoredLayer> layers;
  std::int64_t biases_after = 0;
  std::int64_t bytes_before = 0;  ///< of all weights and biases as floats
  std::int64_t bytes_after = 0;   ///< of all tensors
  std::int64_t weights_before() const;
  std::int64_t weights_after() const;
  /// Bits of the weights before, 32 each, by the bits of those that are left.
  double bit_ratio() const;
};

/// Writes `models`/NAME/VERSION, the next version: weights.safetensors, with weights packed as
/// packed_weight.h says (their tensors are named by layer, "conv1.weight", "conv1.bias"), and
/// network.json, with the config of the network that is left, the units kept, the checksum of the
/// weights, and `metrics`. The folder appears whole or not at all. `before` is the network that was
/// compressed. Throws InputError for a name that cannot name a folder, Error where writing fails.
StoredNetwork write_convolution_folder(const std::filesystem::path& models,
                                       const CompressedConvolutions& compressed,
                                       const ConvolutionLayers& before,
                                       const CompressionResult& result,
                                       const nlohmann::json& metrics);

/// The inverse: the same numbers to the last bit. Throws InputError that names the file where one
/// is missing, damaged or of a newer format.
CompressedConvolutions read_convolution_folder(const std::filesystem::path& folder);

}  // namespace limber
