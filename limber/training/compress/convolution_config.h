#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "limber/core/config/network_options.h"

namespace limber {

/// What a layer takes and gives, of one image.
struct LayerShape {
  std::int64_t channels = 0, height = 0, width = 0;

  std::int64_t elements() const { return channels * height * width; }
  friend bool operator==(const LayerShape&, const LayerShape&) = default;
};

/// Reads a network's YAML, applies `settings` ("compress.bits=4", "layers.fc1.units=60") and checks
/// it: a network begins with an image and ends with a dense layer, one unit a class. Names of
/// layers and strides that were left out are filled in. A relative images.file is relative to the
/// config's folder, one in `settings` to the current folder. Throws InputError with one line: file
/// and line, key, what is wrong.
NetworkConfig load_network_config(const std::filesystem::path& path,
                                  std::span<const std::string> settings = {});
/// The same from text; `origin` stands for the file's name in messages.
NetworkConfig parse_network_config(const std::string& yaml, const std::string& origin,
                                   std::span<const std::string> settings = {},
                                   const std::filesystem::path& folder = {});

/// layers.size() + 1 shapes: the image's, then what each layer gives; the input of layer i is
/// shape i. A dense layer gives [units, 1, 1]. Throws InputError where a window is larger than what
/// it slides over.
std::vector<LayerShape> layer_shapes(const NetworkConfig& config, const std::string& origin);

/// The whole config, defaults included.
nlohmann::json network_config_to_json(const NetworkConfig& config);

}  // namespace limber
