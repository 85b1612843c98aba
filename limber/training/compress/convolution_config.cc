#include "limber/training/compress/convolution_config.h"

#include <fmt/format.h>

#include <set>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/config/json_nodes.h"
#include "limber/core/config/option_writer.h"
#include "limber/core/config/read_root.h"
#include "limber/core/config/settings.h"
#include "limber/core/config/yaml_reader.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// Puts the config's folder before a relative images.file.
void resolve_file(ConfigNode& root, const fs::path& folder) {
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    if (root.keys[i] != "images") continue;
    ConfigNode& images = root.items[i];
    for (std::size_t j = 0; j < images.keys.size(); ++j) {
      ConfigNode& file = images.items[j];
      if (images.keys[j] != "file" || !file.is_scalar() || file.text.empty()) continue;
      if (!folder.empty() && fs::path(file.text).is_relative()) {
        file.text = (folder / file.text).lexically_normal().string();
      }
    }
  }
}

[[noreturn]] void fail_layer(const std::string& origin, const LayerOptions& layer,
                             const std::string& message) {
  throw InputError("{}: layers.{}: {}", origin, layer.name, message);
}

/// Names and strides that were left out.
void fill_in(NetworkConfig& config) {
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    LayerOptions& layer = config.layers[i];
    if (layer.name.empty()) layer.name = fmt::format("{}_{}", layer.kind, i + 1);
    if (layer.stride == 0) layer.stride = layer.kind == "max_pool" ? layer.size : 1;
  }
}

void check_layer(const LayerOptions& layer, const std::string& origin) {
  const bool dense = layer.kind == "dense", pool = layer.kind == "max_pool";
  if (!pool && layer.units == 0) fail_layer(origin, layer, "units must be at least 1");
  if (pool && layer.units != 0) fail_layer(origin, layer, "a pool has no units");
  if (!dense && layer.size == 0) fail_layer(origin, layer, "size must be at least 1");
  if (dense && layer.size != 0) fail_layer(origin, layer, "a dense layer has no size");
  if (layer.kind != "convolution" && layer.padding != 0) {
    fail_layer(origin, layer, "padding is a convolution's option");
  }
  // A window that lies in the zeros alone would give a constant.
  if (layer.padding > 0 && layer.padding >= layer.size) {
    fail_layer(origin, layer, "padding must be less than size");
  }
  if (layer.name.find_first_of("/. \t\n") != std::string::npos) {
    fail_layer(origin, layer, "a name has no dots, slashes or blanks");
  }
}

void check_network(const NetworkConfig& config, const std::string& origin) {
  if (config.images.test_share + config.images.validation_share >= 1) {
    throw InputError("{}: images: test_share and validation_share leave nothing to train on",
                     origin);
  }
  std::set<std::string> names;
  bool dense = false;
  for (const LayerOptions& layer : config.layers) {
    check_layer(layer, origin);
    if (!names.insert(layer.name).second) fail_layer(origin, layer, "there are two of that name");
    if (dense && layer.kind != "dense") {
      fail_layer(origin, layer, "after a dense layer only dense ones may follow");
    }
    dense = layer.kind == "dense";
  }
  if (!dense) {
    fail_layer(origin, config.layers.back(),
               "the last layer must be dense, with as many units as there are classes");
  }
  if (config.layers.back().units < 2) {
    fail_layer(origin, config.layers.back(), "the last layer needs two units or more, one a class");
  }
  layer_shapes(config, origin);
}

}  // namespace

std::vector<LayerShape> layer_shapes(const NetworkConfig& config, const std::string& origin) {
  const ImageOptions& images = config.images;
  std::vector<LayerShape> shapes = {{images.channels, images.height, images.width}};
  for (const LayerOptions& layer : config.layers) {
    const LayerShape from = shapes.back();
    if (layer.kind == "dense") {
      shapes.push_back({layer.units, 1, 1});
      continue;
    }
    const std::int64_t height = from.height + 2 * layer.padding - layer.size;
    const std::int64_t width = from.width + 2 * layer.padding - layer.size;
    if (height < 0 || width < 0) {
      fail_layer(origin, layer,
                 fmt::format("a window of {0} x {0} does not fit into {1} x {2}", layer.size,
                             from.height + 2 * layer.padding, from.width + 2 * layer.padding));
    }
    shapes.push_back({layer.kind == "convolution" ? layer.units : from.channels,
                      height / layer.stride + 1, width / layer.stride + 1});
  }
  return shapes;
}

NetworkConfig parse_network_config(const std::string& yaml, const std::string& origin,
                                   std::span<const std::string> settings, const fs::path& folder) {
  ConfigNode root = read_yaml(yaml, origin);
  resolve_file(root, folder);
  for (const std::string& setting : settings) apply_setting(root, setting);
  root.where = origin;
  NetworkConfig config = read_root<NetworkConfig>(root);
  fill_in(config);
  check_network(config, origin);
  return config;
}

NetworkConfig load_network_config(const fs::path& path, std::span<const std::string> settings) {
  return parse_network_config(read_file(path), path.string(), settings, path.parent_path());
}

nlohmann::json network_config_to_json(const NetworkConfig& config) {
  NetworkConfig copy = config;
  return node_to_json(write_value(copy));
}

}  // namespace limber
