#include "limber/training/compress/convolution_config.h"

#include <gtest/gtest.h>

#include "limber/core/config/test_support.h"

namespace limber {
namespace {

const std::string kLeNet = R"(name: lenet
images: {file: digits.csv}
layers:
  - {name: conv1, kind: convolution, units: 6, size: 5, padding: 2}
  - {kind: max_pool, size: 2}
  - {name: conv2, kind: convolution, units: 16, size: 5}
  - {kind: max_pool, size: 2}
  - {name: fc1, kind: dense, units: 120}
  - {name: classes, kind: dense, units: 10}
compress: {bits: 4, keep_of: {fc1: 0.5}}
)";

TEST(NetworkConfig, FillsInNamesAndStrides) {
  const NetworkConfig config = parse_network_config(kLeNet, "n.yaml", {}, "folder");
  EXPECT_EQ(config.images.file, "folder/digits.csv");
  EXPECT_EQ(config.layers[1].name, "max_pool_2");
  EXPECT_EQ(config.layers[0].stride, 1);
  EXPECT_EQ(config.layers[1].stride, 2);
  EXPECT_EQ(config.compress.bits, 4);
  EXPECT_EQ(config.compress.keep_of.at("fc1"), 0.5);
}

TEST(NetworkConfig, SettingsReachLayersByName) {
  const std::vector<std::string> settings = {"layers.fc1.units=60", "images.file=here.csv",
                                             "compress.admm.epochs=0"};
  const NetworkConfig config = parse_network_config(kLeNet, "n.yaml", settings, "folder");
  EXPECT_EQ(config.layers[4].units, 60);
  EXPECT_EQ(config.images.file, "here.csv");
  EXPECT_EQ(config.compress.admm.epochs, 0);
}

TEST(NetworkConfig, ShapesAreLeNets) {
  const auto shapes = layer_shapes(parse_network_config(kLeNet, "n.yaml"), "n.yaml");
  const std::vector<LayerShape> expected = {{1, 28, 28}, {6, 28, 28}, {6, 14, 14}, {16, 10, 10},
                                            {16, 5, 5},  {120, 1, 1}, {10, 1, 1}};
  EXPECT_EQ(shapes, expected);
}

/// An odd width and a stride: the last line that no window reaches is left out, as LibTorch does.
TEST(NetworkConfig, ShapesRoundDown) {
  NetworkConfig config = parse_network_config(kLeNet, "n.yaml");
  config.images.width = 9;
  config.images.height = 7;
  config.layers = {{"c", "convolution", 3, 3, 2, 1}, {"p", "max_pool", 0, 2, 2, 0}};
  const auto shapes = layer_shapes(config, "n.yaml");
  EXPECT_EQ(shapes[1], (LayerShape{3, 4, 5}));
  EXPECT_EQ(shapes[2], (LayerShape{3, 2, 2}));
}

TEST(NetworkConfig, IsReadAgainFromItsJson) {
  const NetworkConfig config = parse_network_config(kLeNet, "n.yaml");
  const nlohmann::json json = network_config_to_json(config);
  EXPECT_EQ(network_config_to_json(parse_network_config(json.dump(), "j")), json);
}

std::string refusal(const std::string& part, const std::string& other) {
  return input_error([&] { parse_network_config(replaced(kLeNet, part, other), "n.yaml"); });
}

TEST(NetworkConfig, RefusesWithOneLine) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"units: 6", "unit: 6", "n.yaml:4: layers.conv1.unit: unknown option; did you mean"},
      {"bits: 4", "bits: 9", "n.yaml:10: compress.bits"},
      {"kind: max_pool", "kind: pool", "n.yaml:5: layers[1].kind"},
      {"kind: max_pool, size: 2", "kind: max_pool", "layers.max_pool_2: size"},
      {"units: 6, ", "", "layers.conv1: units"},
      {"padding: 2", "padding: 5", "layers.conv1: padding must be less"},
      {"name: conv2", "name: conv1", "layers.conv1: there are two"},
      {"kind: dense, units: 120", "kind: convolution, units: 9, size: 6",
       "layers.fc1: a window of 6 x 6 does not fit into 5 x 5"},
      {"  - {name: classes, kind: dense, units: 10}\n", "  - {kind: max_pool, size: 1}\n",
       "layers.max_pool_6: after a dense layer"},
      {"images: {file: digits.csv}", "images: {file: a.csv, test_share: 0.9}", "nothing to train"},
      {"images: {file: digits.csv}", "", "images.file: is required"},
  };
  for (const auto& [part, other, message] : cases) {
    const std::string refused = refusal(part, other);
    EXPECT_NE(refused.find(message), std::string::npos) << other << ": " << refused;
    EXPECT_EQ(refused.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace limber
