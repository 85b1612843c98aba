#include "limber/training/compress/compress_network.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/training/compress/least_squares_network_for_test.h"

namespace limber {
namespace {

using torch::Tensor;

class CompressNetwork : public testing::Test {
 protected:
  static Tensor truth() {
    torch::manual_seed(1);
    Tensor truth = torch::zeros({8, 6});
    truth.select(1, 1).copy_(torch::randn({8}));
    truth.select(1, 4).copy_(torch::randn({8}));
    return truth;
  }
  /// Noise enough that the two units that explain nothing else are worth a little.
  static LeastSquaresNetwork network() { return {truth(), 300, 0.05, 60}; }

  static CompressOptions options() {
    CompressOptions options;
    options.keep = 1.0 / 3;
    options.admm.epochs = 4;
    options.admm.updates_per_epoch = 3;
    options.admm.rho = 0.02;
    options.admm.learning_rate = 0.02;
    options.admm.retrain_epochs = 3;
    options.admm.retrain_learning_rate = 0.02;
    return options;
  }

  std::filesystem::path work() const { return folder_.path() / "work"; }

  static void expect_same(const CompressionResult& a, const CompressionResult& b) {
    ASSERT_EQ(a.weights.size(), b.weights.size());
    EXPECT_EQ(a.weights_after, b.weights_after);
    EXPECT_EQ(a.validation_before.loss, b.validation_before.loss);
    EXPECT_EQ(a.validation_after.loss, b.validation_after.loss);
    for (std::size_t w = 0; w < a.weights.size(); ++w) {
      EXPECT_EQ(a.weights[w].kept_units, b.weights[w].kept_units);
      EXPECT_EQ(a.weights[w].scale, b.weights[w].scale);
      ASSERT_EQ(a.weights[w].codes.defined(), b.weights[w].codes.defined());
      if (a.weights[w].codes.defined()) {
        EXPECT_TRUE(torch::equal(a.weights[w].codes, b.weights[w].codes));
      }
    }
  }

  TemporaryFolder folder_;
};

TEST_F(CompressNetwork, PrunesToTheUnitsThatThereAre) {
  auto network = this->network();
  CompressOptions thorough = options();
  thorough.admm.retrain_epochs = 30;
  thorough.admm.retrain_learning_rate = 0.05;
  const CompressionResult result = compress_network(network, thorough, work(), false);
  const CompressedWeight& layer = *result.find("layer");
  EXPECT_EQ(layer.kept_units, (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(layer.groups, 6);
  EXPECT_EQ(layer.kept_groups, 2);
  EXPECT_EQ(result.weights_before, 48);
  EXPECT_EQ(result.weights_after, 16);
  EXPECT_DOUBLE_EQ(result.ratio(), 3);
  // What was pruned is 0, its bias too; what is left fits.
  const auto weight = network.weights()[0];
  EXPECT_EQ((weight.matrix * layer.mask.logical_not()).abs().sum().item<float>(), 0);
  for (const std::int64_t unit : {0, 2, 3, 5}) EXPECT_EQ(weight.bias[unit].item<float>(), 0);
  EXPECT_LT((network.weight() - truth()).abs().max().item<double>(), 0.05);
  EXPECT_EQ(network.validate().loss, result.validation_after.loss);
}

TEST_F(CompressNetwork, WeightsEndOnLevelsToTheLastBit) {
  for (const std::int64_t bits : {2, 4, 8}) {
    auto network = this->network();
    CompressOptions options = this->options();
    options.bits = bits;
    const CompressionResult result = compress_network(network, options, work(), true);
    const CompressedWeight& layer = *result.find("layer");
    EXPECT_TRUE(torch::equal(layer.codes.to(torch::kFloat) * layer.scale, network.weight()));
    EXPECT_LE(layer.codes.abs().max().item<std::int64_t>(), (1 << (bits - 1)) - 1);
    EXPECT_EQ(network.validate().loss, result.validation_after.loss);
  }
}

TEST_F(CompressNetwork, RetrainingRepairsRounding) {
  CompressOptions options = this->options();
  options.keep = 1;
  options.bits = 3;
  options.admm.epochs = 0;
  auto trained = this->network();
  trained.train_epoch("before", 0, 0.02, {});
  auto rounded = this->network();
  rounded.train_epoch("before", 0, 0.02, {});
  options.admm.retrain_epochs = 0;
  const double without = compress_network(rounded, options, work(), true).validation_after.loss;
  options.admm.retrain_epochs = 4;
  const double with = compress_network(trained, options, work(), true).validation_after.loss;
  EXPECT_LT(with, without);
}

TEST_F(CompressNetwork, KilledAnywhereGoesOnToTheSameBits) {
  CompressOptions options = this->options();
  options.bits = 4;
  auto whole = this->network();
  const CompressionResult expected = compress_network(whole, options, work(), true);
  for (std::int64_t passes = 0; passes < 7; ++passes) {
    SCOPED_TRACE(passes);
    const auto folder = folder_.path() / std::to_string(passes);
    auto killed = this->network();
    killed.passes_until_killed = passes;
    EXPECT_THROW(compress_network(killed, options, folder, false), LeastSquaresNetwork::Killed);
    // Another process has the network as it was given, and a random generator of its own.
    auto again = this->network();
    torch::manual_seed(99);
    again.passes_until_killed = 7 - passes;  // no pass is made twice
    expect_same(compress_network(again, options, folder, false), expected);
    EXPECT_TRUE(torch::equal(again.weight(), whole.weight()));
    EXPECT_EQ(read_file(folder / "compress.jsonl"), read_file(work() / "compress.jsonl"));
    // Until it is forgotten, the result is there without a pass.
    auto third = this->network();
    third.passes_until_killed = 0;
    expect_same(compress_network(third, options, folder, false), expected);
    EXPECT_TRUE(torch::equal(third.weight(), whole.weight()));
    forget_compression(folder);
    auto fourth = this->network();
    fourth.passes_until_killed = 0;
    EXPECT_THROW(compress_network(fourth, options, folder, false), LeastSquaresNetwork::Killed);
  }
}

TEST_F(CompressNetwork, CheckpointsOfOtherRunsAreLeftAside) {
  auto network = this->network();
  compress_network(network, options(), work(), false);
  CompressOptions other = options();
  other.keep = 0.5;
  auto second = this->network();
  const std::string checkpoint = read_file(work() / "compress.checkpoint");
  EXPECT_EQ(compress_network(second, other, work(), false).find("layer")->kept_groups, 3);
  EXPECT_EQ(read_file(work() / "compress.checkpoint.other"), checkpoint);
  // The same options for another network.
  LeastSquaresNetwork third(2 * truth(), 300, 0.05, 60);
  {
    const torch::NoGradGuard no_grad;
    third.weights()[0].parameter.add_(1.0);
  }
  third.passes_until_killed = 0;
  EXPECT_THROW(compress_network(third, other, work(), false), LeastSquaresNetwork::Killed);
}

TEST_F(CompressNetwork, DamagedCheckpointsAreRefused) {
  auto network = this->network();
  compress_network(network, options(), work(), false);
  const auto path = work() / "compress.checkpoint";
  const std::string bytes = read_file(path);
  write_file_atomic(path, bytes.substr(0, bytes.size() / 2));
  auto again = this->network();
  EXPECT_THROW(compress_network(again, options(), work(), false), InputError);
  for (std::size_t at = 0; at < bytes.size(); at += bytes.size() / 40) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    write_file_atomic(path, flipped);
    EXPECT_THROW(compress_network(again, options(), work(), false), InputError) << at;
  }
  EXPECT_EQ(compress_network(again, options(), work(), true).find("layer")->kept_groups, 2);
}

TEST_F(CompressNetwork, TargetLossFindsTheLargestRatioThatIsFine) {
  CompressOptions options = this->options();
  auto network = this->network();
  // Well trained first: a fall is measured against what there is.
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) network.train_epoch("before", epoch, 0.02, {});
  // Four of six units explain nothing: they go for next to nothing, and no fifth does.
  options.keep = 1;
  options.target_loss = 0.02;
  const CompressionResult result = compress_network(network, options, work(), true);
  EXPECT_EQ(result.find("layer")->kept_units, (std::vector<std::int64_t>{1, 4}));
  // Where every unit explains something, none may go for nothing.
  LeastSquaresNetwork dense(torch::randn({8, 6}), 300, 0.05, 60);
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) dense.train_epoch("before", epoch, 0.02, {});
  options.target_loss = 1e-9;
  options.admm.retrain_epochs = 0;
  EXPECT_THROW(compress_network(dense, options, work(), true), InputError);
}

TEST_F(CompressNetwork, UpdatesHaveTheirSteps) {
  CompressOptions options = this->options();
  const auto updates_of = [&](std::int64_t steps, std::int64_t epochs, std::int64_t updates) {
    LeastSquaresNetwork network(truth(), 300, 0.05, steps);
    options.admm.epochs = epochs;
    options.admm.updates_per_epoch = updates;
    compress_network(network, options, work(), true);
    std::vector<std::int64_t> at;
    std::istringstream lines(read_file(work() / "compress.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json.contains("primal_residual")) at.push_back(json.at("step"));
    }
    return at;
  };
  EXPECT_EQ(updates_of(60, 2, 3), (std::vector<std::int64_t>{20, 40, 60, 80, 100, 120}));
  // Too many are asked for, and passes are shorter than a step of W.
  EXPECT_EQ(updates_of(60, 1, 30), (std::vector<std::int64_t>{20, 40, 60}));
  EXPECT_EQ(updates_of(12, 5, 4), (std::vector<std::int64_t>{20, 40, 60}));
  EXPECT_EQ(updates_of(3, 2, 4), (std::vector<std::int64_t>{6}));
}

TEST_F(CompressNetwork, AsksForNothing) {
  auto network = this->network();
  const Tensor before = network.weight().clone();
  network.passes_until_killed = 0;
  const CompressionResult result = compress_network(network, CompressOptions{}, work(), false);
  EXPECT_TRUE(result.weights.empty());
  EXPECT_EQ(result.weights_before, result.weights_after);
  EXPECT_TRUE(torch::equal(network.weight(), before));
}

TEST_F(CompressNetwork, OptionsThatContradict) {
  auto network = this->network();
  CompressOptions options = this->options();
  options.bits = 1;
  EXPECT_THROW(compress_network(network, options, work(), false), InputError);
  options.bits = 0;
  options.target_ratio = 2;
  options.keep = 1;
  options.target_loss = 0.1;
  EXPECT_THROW(compress_network(network, options, work(), false), InputError);
}

}  // namespace
}  // namespace limber
