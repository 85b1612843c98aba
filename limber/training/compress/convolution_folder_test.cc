#include "limber/training/compress/convolution_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/core/config/test_support.h"
#include "limber/training/compress/convolution_case_for_test.h"
#include "limber/training/compress/levels.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

/// What compression would leave: units c1 1, 4 and d1 0, 2, 3 pruned, all but the last layer on
/// levels of 4 bits.
CompressionResult compress(ConvolutionLayers& layers) {
  const torch::NoGradGuard no_grad;
  CompressionResult result;
  const std::map<std::string, std::vector<std::int64_t>> kept = {{"c1", {0, 2, 3}},
                                                                 {"d1", {1, 4, 5, 6}}};
  for (CompressibleWeight& weight : layers.weights()) {
    if (!weight.removable) continue;
    CompressedWeight compressed;
    compressed.name = weight.name;
    if (const auto found = kept.find(weight.name); found != kept.end()) {
      compressed.kept_units = found->second;
      const torch::Tensor units = torch::zeros({weight.matrix.size(1)});
      for (const std::int64_t unit : found->second) units[unit] = 1;
      weight.matrix.mul_(units);
      weight.bias.mul_(units);
      compressed.mask = units.to(torch::kBool).expand(weight.matrix.sizes()).clone();
    }
    const Levels levels = fit_levels(weight.matrix, 4);
    weight.matrix.copy_(levels.values());
    compressed.codes = levels.codes;
    compressed.scale = levels.scale;
    result.weights.push_back(std::move(compressed));
  }
  return result;
}

struct Case {
  TemporaryFolder folder;
  NetworkConfig config = small_network();
  ConvolutionLayers before{config}, layers{config};
  torch::Tensor images = small_images(20, 4).pixels;
  CompressionResult result;

  Case() {
    config.compress.bits = 4;
    randomise_biases(layers);
    result = compress(layers);
  }
  StoredNetwork write() {
    return write_convolution_folder(folder.path(), shrink(config, layers, result), before, result,
                                    {{"accuracy", 0.5}});
  }
};

TEST(ConvolutionFolder, IsReadBackToTheLastBit) {
  const torch::NoGradGuard no_grad;
  Case one;
  const CompressedConvolutions smaller = shrink(one.config, one.layers, one.result);
  EXPECT_EQ(smaller.config.layers[0].units, 3);
  EXPECT_LT((smaller.layers.forward(one.images) - one.layers.forward(one.images))
                .abs()
                .max()
                .item<double>(),
            1e-6);
  const StoredNetwork stored = one.write();
  EXPECT_EQ(stored.folder, one.folder.path() / "small" / "000001");
  const CompressedConvolutions read = read_convolution_folder(stored.folder);
  EXPECT_TRUE(torch::equal(read.layers.forward(one.images), smaller.layers.forward(one.images)));
  EXPECT_EQ(read.kept_units, smaller.kept_units);
  EXPECT_EQ(one.write().folder.filename(), "000002");
}

/// The whole way: what compression says is left is what is left when its units are taken out, and
/// the function is that of the network which it was measured on.
TEST(ConvolutionFolder, HoldsWhatCompressionLeaves) {
  const TemporaryFolder folder;
  NetworkConfig config = small_network();
  config.compress.keep = 0.6;
  config.compress.bits = 4;
  config.compress.admm.epochs = 2;
  config.compress.admm.retrain_epochs = 2;
  const ImageData data = small_data();
  ConvolutionLayers layers(config);
  ConvolutionNetwork network(layers, data, config.train);
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) network.train_epoch("first", epoch, 0.01, {});
  const ConvolutionLayers before = layers.without_units({});
  const CompressionResult result = compress_network(network, config.compress, folder.path(), false);

  const torch::NoGradGuard no_grad;
  const CompressedConvolutions smaller = shrink(config, layers, result);
  EXPECT_LT(smaller.layers.weight_count(), before.weight_count());
  EXPECT_EQ(result.weights_before, before.weight_count());
  EXPECT_EQ(result.weights_after, smaller.layers.weight_count());
  EXPECT_LT((smaller.layers.forward(data.test.pixels) - layers.forward(data.test.pixels))
                .abs()
                .max()
                .item<double>(),
            1e-5);
  const StoredNetwork stored = write_convolution_folder(folder.path(), smaller, before, result, {});
  EXPECT_TRUE(torch::equal(read_convolution_folder(stored.folder).layers.forward(data.test.pixels),
                           smaller.layers.forward(data.test.pixels)));
}

TEST(ConvolutionFolder, CountsWeightsBitsAndBytes) {
  Case one;
  const StoredNetwork stored = one.write();
  EXPECT_EQ(stored.weights_before(), one.before.weight_count());
  EXPECT_EQ(stored.weights_after(),
            shrink(one.config, one.layers, one.result).layers.weight_count());
  std::int64_t bits = 0, bytes = 0;
  for (const StoredLayer& layer : stored.layers) {
    EXPECT_EQ(layer.bits, layer.name == "classes" ? 32 : 4) << layer.name;
    bits += layer.bits * layer.weights_after;
    bytes += layer.bytes;
  }
  EXPECT_DOUBLE_EQ(stored.bit_ratio(),
                   32.0 * static_cast<double>(stored.weights_before()) / static_cast<double>(bits));
  EXPECT_EQ(stored.bytes_after, bytes);
  EXPECT_EQ(stored.bytes_before, 4 * (stored.weights_before() + 5 + 6 + 4 + 7 + 3));
  // The file's head comes on top of the tensors.
  EXPECT_GT(fs::file_size(stored.folder / "weights.safetensors"),
            static_cast<std::uintmax_t>(bytes));
}

/// Tiles lie in the matrix [inputs, outputs], and come back from the weight, which is its
/// transpose.
TEST(ConvolutionFolder, StoresOnlyTilesThatAreLeft) {
  const torch::NoGradGuard no_grad;
  Case one;
  one.config.compress.structure = "blocks";
  one.config.compress.block = {7, 3};
  one.config.compress.bits = 0;
  ConvolutionLayers layers(one.config);
  CompressionResult result;
  CompressibleWeight weight = layers.weights()[3];
  torch::Tensor mask = torch::zeros(weight.matrix.sizes(), torch::kBool);
  mask.slice(0, 7, 14).slice(1, 3, 6).fill_(true);
  weight.matrix.mul_(mask);
  CompressedWeight compressed;
  compressed.name = "d1";
  compressed.mask = mask;
  result.weights.push_back(compressed);
  const StoredNetwork stored = write_convolution_folder(
      one.folder.path(), shrink(one.config, layers, result), one.before, result, {});
  EXPECT_EQ(stored.layers[3].weights_after, 21);
  EXPECT_LT(stored.layers[3].bytes, 4 * 21 + 4 * 7 + 60);  // numbers, bias, head and map
  EXPECT_TRUE(torch::equal(read_convolution_folder(stored.folder).layers.forward(one.images),
                           layers.forward(one.images)));
}

/// Whatever byte is damaged, what is read is the same network or nothing.
TEST(ConvolutionFolder, RefusesDamage) {
  Case one;
  const StoredNetwork stored = one.write();
  const fs::path path = stored.folder / "weights.safetensors";
  const std::string good = read_file(path);
  Random random(7);
  for (int trial = 0; trial < 40; ++trial) {
    std::string bad = good;
    bad[random.below(bad.size())] ^= static_cast<char>(1 + random.below(255));
    std::ofstream(path, std::ios::binary) << bad;
    EXPECT_NE(input_error([&] { read_convolution_folder(stored.folder); }), "");
  }
  std::ofstream(path, std::ios::binary) << good.substr(0, good.size() / 2);
  EXPECT_NE(input_error([&] { read_convolution_folder(stored.folder); }), "");
  fs::remove(path);
  EXPECT_NE(input_error([&] { read_convolution_folder(stored.folder); }), "");
}

TEST(ConvolutionFolder, RefusesANewerFormat) {
  Case one;
  const fs::path path = one.write().folder / "network.json";
  const std::string text = replaced(read_file(path), "\"format\": 1", "\"format\": 2");
  std::ofstream(path, std::ios::binary) << text;
  EXPECT_NE(input_error([&] { read_convolution_folder(path.parent_path()); }).find("newer"),
            std::string::npos);
}

}  // namespace
}  // namespace limber
