#include "limber/training/compress/convolution_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/config/test_support.h"
#include "limber/training/compress/convolution_case_for_test.h"
#include "limber/training/compress/convolution_tensors.h"
#include "limber/training/compress/convolution_training.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

struct Case {
  NetworkConfig config = small_network();
  ImageData data = small_data();
  ConvolutionLayers layers{config};
  ConvolutionNetwork network{layers, data, config.train};
};

bool always() {
  return true;
}

bool same(const NamedTensors& first, const NamedTensors& second) {
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!torch::equal(first[i].second, second[i].second)) return false;
  }
  return first.size() == second.size();
}

TEST(ConvolutionNetwork, AnEpochSeesEveryImageOnce) {
  Case one;
  EXPECT_EQ(one.network.steps_per_epoch(), 10);  // 150 images, 16 at once
  CompressibleNetwork::Hooks hooks;
  std::int64_t steps = 0;
  // Gradients are dropped, so that the mean loss of the pass is that of the weights as they are.
  hooks.before_step = [&](std::int64_t step) {
    EXPECT_EQ(step, steps++);
    for (auto& [name, parameter] : one.layers.parameters()) {
      EXPECT_TRUE(parameter.grad().defined()) << name;
      parameter.grad().zero_();
    }
  };
  const double loss = one.network.train_epoch("test", 0, 1e-3, hooks);
  EXPECT_EQ(steps, 10);
  EXPECT_NEAR(loss, ConvolutionNetwork::quality(one.layers, one.data.train).loss, 1e-6);
}

TEST(ConvolutionNetwork, QualityIsThatOfItsLogits) {
  Case one;
  const torch::Tensor logits = one.layers.forward(one.data.test.pixels).detach();
  const torch::Tensor chances = torch::softmax(logits.to(torch::kDouble), 1);
  double loss = 0, right = 0;
  for (std::int64_t i = 0; i < one.data.test.size(); ++i) {
    const auto label = one.data.test.classes[i].item<std::int64_t>();
    loss -= std::log(chances[i][label].item<double>()) / 60;
    right += chances[i].argmax().item<std::int64_t>() == label ? 1.0 / 60 : 0;
  }
  EXPECT_NEAR(one.network.test().loss, loss, 1e-9);
  EXPECT_NEAR(one.network.test().metric, right, 1e-9);
  EXPECT_NEAR(correct_images(one.layers, one.data.test).to(torch::kDouble).mean().item<double>(),
              right, 1e-9);
}

TEST(ConvolutionNetwork, LearnsAndTheOptimiserBeginsAnewWithAPhase) {
  Case one;
  for (std::int64_t epoch = 0; epoch < 6; ++epoch) {
    one.network.train_epoch("first", epoch, 0.01, {});
  }
  EXPECT_GT(one.network.test().metric, 0.9);
  const auto steps = [&] { return one.network.state().back().second.item<std::int64_t>(); };
  EXPECT_EQ(steps(), 60);
  one.network.train_epoch("second", 0, 0.01, {});
  EXPECT_EQ(steps(), 10);
}

/// A run that goes on in another process from what state() holds ends with the same bits.
TEST(ConvolutionNetwork, StateIsAllThereIs) {
  Case whole, begun, other;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    whole.network.train_epoch("phase", epoch, 0.01, {});
    if (epoch < 2) begun.network.train_epoch("phase", epoch, 0.01, {});
  }
  const NamedTensors from = begun.network.state(), to = other.network.state();
  for (std::size_t i = 0; i < from.size(); ++i) to[i].second.copy_(from[i].second);
  other.network.train_epoch("phase", 2, 0.01, {});
  EXPECT_TRUE(same(other.network.state(), whole.network.state()));
}

TEST(ConvolutionTraining, KeepsTheBestEpochForLater) {
  const TemporaryFolder folder;
  Case first, second;
  const auto training =
      train_convolutions(first.network, first.config, "data", folder.path(), false, always);
  EXPECT_GE(training.best_epoch, 1);
  EXPECT_LE(training.best_epoch, 4);
  EXPECT_FALSE(fs::exists(folder.path() / "training.safetensors"));
  const auto again =
      train_convolutions(second.network, second.config, "data", folder.path(), false, always);
  EXPECT_EQ(again.best_epoch, training.best_epoch);
  EXPECT_EQ(again.seconds, 0);
  // Not the weights alone: whoever recognises a network by its state must find it again.
  EXPECT_TRUE(same(first.network.state(), second.network.state()));
}

TEST(ConvolutionTraining, GoesOnToTheSameBitsWhereItWasCutOff) {
  const TemporaryFolder whole_folder, cut_folder;
  Case whole, cut, resumed;
  train_convolutions(whole.network, whole.config, "data", whole_folder.path(), false, always);

  int asked = 0;
  const auto training = train_convolutions(cut.network, cut.config, "data", cut_folder.path(),
                                           false, [&] { return ++asked <= 25; });
  EXPECT_TRUE(training.stopped);
  EXPECT_TRUE(fs::exists(cut_folder.path() / "training.safetensors"));
  int steps = 0;
  train_convolutions(resumed.network, resumed.config, "data", cut_folder.path(), false, [&] {
    ++steps;
    return true;
  });
  EXPECT_EQ(steps, 20);  // the last two passes of four
  EXPECT_TRUE(same(resumed.layers.parameters(), whole.layers.parameters()));
}

TEST(ConvolutionTraining, LeavesFilesOfAnotherRunAside) {
  const TemporaryFolder folder;
  Case first, data, options;
  options.config.train.learning_rate = 0.02;
  const auto seconds = [&](Case& one, const std::string& fingerprint, bool restart) {
    return train_convolutions(one.network, one.config, fingerprint, folder.path(), restart, always)
        .seconds;
  };
  EXPECT_GT(seconds(first, "data", false), 0);
  EXPECT_EQ(seconds(first, "data", false), 0);
  EXPECT_GT(seconds(first, "data", true), 0);
  EXPECT_GT(seconds(data, "other data", false), 0);
  EXPECT_GT(seconds(options, "other data", false), 0);
}

TEST(ConvolutionTraining, RefusesADamagedFile) {
  const TemporaryFolder folder;
  Case one, other;
  train_convolutions(one.network, one.config, "data", folder.path(), false, always);
  const fs::path path = folder.path() / "trained.safetensors";
  fs::resize_file(path, fs::file_size(path) - 4);
  const std::string message = input_error([&] {
    train_convolutions(other.network, other.config, "data", folder.path(), false, always);
  });
  EXPECT_NE(message.find("trained.safetensors"), std::string::npos) << message;
}

}  // namespace
}  // namespace limber
