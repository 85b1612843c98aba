#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/config/compress_options.h"
#include "limber/core/config/constraint.h"

/// The options of a small network of convolutions, which `limber compress` trains and compresses
/// (examples/digits).
namespace limber {

struct ImageOptions {
  std::string file;
  std::string label = "label";
  std::string pixels;
  std::int64_t width = 28;
  std::int64_t height = 28;
  std::int64_t channels = 1;
  double scale = 255;
  double validation_share = 0.1;
  double test_share = 0.2;
  std::uint64_t split_seed = 1;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("file", file, required(), "CSV or Parquet, an image a row.");
    visit("label", label, required(), "Column of the class, a whole number from 0.");
    visit(
        "pixels", pixels, any(),
        "What the names of the pixels' columns begin with; empty means all columns but the label.");
    visit("width", width, between(1, 4096), "Pixels of a line.");
    visit("height", height, between(1, 4096), "Lines of an image.");
    visit("channels", channels, between(1, 64),
          "Values of a pixel; the columns hold one whole channel after another, line by line.");
    visit("scale", scale, positive(), "What values are divided by.");
    visit("validation_share", validation_share, between(0.001, 0.9),
          "Share of the images on which settings are chosen.");
    visit("test_share", test_share, between(0.001, 0.9),
          "Share of the images that the result is measured on.");
    visit("split_seed", split_seed, at_least(0), "Seed of the split.");
  }
};

struct LayerOptions {
  std::string name;
  std::string kind;
  std::int64_t units = 0;
  std::int64_t size = 0;
  std::int64_t stride = 0;
  std::int64_t padding = 0;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("name", name, any(), "Name of the layer; without one, its kind and its place from 1.");
    visit("kind", kind, one_of({"convolution", "max_pool", "dense"}),
          "What the layer does; all but the last are followed by a rectifier, a pool by nothing.");
    visit("units", units, between(0, 1000000), "Filters of a convolution, units of a dense layer.");
    visit("size", size, between(0, 4096), "Width and height of a filter, or of a pool's window.");
    visit("stride", stride, between(0, 4096),
          "Steps of the window; 0 means 1 for a convolution and its size for a pool.");
    visit("padding", padding, between(0, 4096), "Zeros around a convolution's input.");
  }
};

struct NetworkTrainOptions {
  std::int64_t epochs = 20;
  std::int64_t batch = 64;
  double learning_rate = 1e-3;
  std::uint64_t seed = 1;
  std::int64_t threads = 1;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("epochs", epochs, between(1, 100000),
          "Passes over the training part; the weights of the best one by validation are kept.");
    visit("batch", batch, between(1, 1000000), "Images of one step.");
    visit("learning_rate", learning_rate, positive(), "Step size of Adam at first.");
    visit("seed", seed, at_least(0), "Seed of the first weights and of the order of images.");
    visit("threads", threads, between(0, 4096),
          "Compute threads; 0 means all cores. The same number gives the same bits.");
  }
};

struct NetworkConfig {
  std::string name = "network";
  ImageOptions images;
  std::vector<LayerOptions> layers;
  NetworkTrainOptions train;
  CompressOptions compress;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("name", name, required(), "Name of the network, and of its folder.");
    visit("images", images, any(), "Where the images are and what they mean.");
    visit("layers", layers, required(), "The network, from the image to the classes.");
    visit("train", train, any(), "How the network is trained where no trained weights are found.");
    visit("compress", compress, any(), "What limber compress does to the trained network.");
  }
};

}  // namespace limber
