#include "limber/training/compress/ranking_network.h"

#include <algorithm>

#include "limber/training/compress/compress_network.h"
#include "limber/training/train/train_state.h"
#include "limber/training/train/training_case_for_test.h"

namespace limber {
namespace {

class RankingNetworkTest : public TrainingCase {
 protected:
  const CompressibleWeight& find(const std::vector<CompressibleWeight>& weights,
                                 const std::string& name) {
    for (const CompressibleWeight& weight : weights) {
      if (weight.name == name) return weight;
    }
    ADD_FAILURE() << "no weight " << name;
    return weights.front();
  }

  RankingModel model_for(const Config& config, const Dataset& dataset) {
    return make_model(config, dataset, torch::kCPU);
  }
};

TEST_F(RankingNetworkTest, EveryMatrixIsAWeightOfItsParameter) {
  const Config config =
      this->config({"model.global_block.gate=low_rank", "model.global_block.experts.kind=mmoe",
                    "model.history.enabled=true", "model.global_block.cross.kind=low_rank"});
  const Dataset dataset = build(config);
  const RankingModel model = model_for(config, dataset);
  const auto weights = ranking_weights(model);
  std::int64_t matrices = 0;
  for (const auto& item : model->named_parameters()) {
    const bool start = item.key() == "default_embedding";
    matrices += item.value().dim() == 2 && !start;
  }
  EXPECT_EQ(static_cast<std::int64_t>(weights.size()), matrices);
  for (const CompressibleWeight& weight : weights) {
    SCOPED_TRACE(weight.name);
    const std::string parameter = parameter_of_weight(model, weight.name);
    EXPECT_EQ(weight.matrix.data_ptr(), model->named_parameters()[parameter].data_ptr());
    // Readers exist, and have as many lines as there are units.
    for (const UnitReader& reader : weight.readers) {
      EXPECT_EQ(find(weights, reader.name).matrix.size(reader.rows ? 0 : 1),
                weight.matrix.size(1) * reader.lines)
          << reader.name;
    }
    if (weight.bias.defined()) {
      EXPECT_EQ(weight.bias.size(0), weight.matrix.size(1));
    }
    // What is compressed unless told otherwise are hidden layers whose units can go.
    EXPECT_EQ(weight.hidden, weight.name.find("global_block.mlp.layer") == 0 ||
                                 weight.name.find("global_block.experts.expert") == 0);
  }
  EXPECT_FALSE(find(weights, "meta_block.layer0_weight").removable);
  EXPECT_TRUE(find(weights, "global_block.cross.layer0.down").removable);
  // The last layer of experts that are mixed is tied to the others'.
  EXPECT_FALSE(find(weights, "global_block.experts.expert0.layer0").removable);
}

TEST_F(RankingNetworkTest, TrainsOnTheRealLossAndLeavesTheTables) {
  const Config config = this->config();
  const Dataset dataset = build(config);
  RankingModel model = model_for(config, dataset);
  const auto tables = model->tables.weights()[0].clone();
  RankingNetwork network(config, dataset, model);
  std::int64_t steps = 0;
  CompressibleNetwork::Hooks hooks;
  hooks.before_step = [&](std::int64_t step) { EXPECT_EQ(step, steps); };
  hooks.after_step = [&](std::int64_t) { ++steps; };
  const double first = network.train_epoch("retrain", 0, 0.01, hooks);
  EXPECT_EQ(steps, network.steps_per_epoch());
  double last = first;
  for (std::int64_t epoch = 1; epoch < 6; ++epoch) {
    last = network.train_epoch("retrain", epoch, 0.01, {});
  }
  EXPECT_LT(last, first - 0.02);
  EXPECT_TRUE(torch::equal(model->tables.weights()[0], tables));
}

TEST_F(RankingNetworkTest, StateIsAllThatAPassDependsOn) {
  const Config config = this->config({"train.optimizer=adam"});
  const Dataset dataset = build(config);
  RankingModel first_model = model_for(config, dataset);
  RankingNetwork first(config, dataset, first_model);
  first.train_epoch("admm", 0, 0.01, {});
  std::map<std::string, torch::Tensor> state;
  for (const auto& [name, tensor] : first.state()) state[name] = tensor.detach().clone();
  first.train_epoch("admm", 1, 0.01, {});

  RankingModel second_model = model_for(config, dataset);
  RankingNetwork second(config, dataset, second_model);
  {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, tensor] : second.state()) tensor.detach().copy_(state.at(name));
  }
  second.train_epoch("admm", 1, 0.01, {});
  expect_same(copy_weights(first_model), copy_weights(second_model));
  // Another phase begins with an optimiser that remembers nothing.
  second.train_epoch("retrain", 0, 1e-30, {});
  EXPECT_EQ(second.state().back().second.item<std::int64_t>(), second.steps_per_epoch());
}

TEST_F(RankingNetworkTest, IsCompressed) {
  Config config = this->config({"model.global_block.hidden=[16, 8]"});
  config.compress.keep = 0.5;
  config.compress.bits = 4;
  config.compress.admm.epochs = 1;
  config.compress.admm.retrain_epochs = 1;
  const Dataset dataset = build(config);
  RankingModel model = model_for(config, dataset);
  RankingNetwork network(config, dataset, model);
  const CompressionResult result =
      compress_network(network, config.compress, folder_.path() / "work", false);
  ASSERT_EQ(result.weights.size(), 2U);
  EXPECT_EQ(result.weights[0].kept_units.size(), 8U);
  EXPECT_EQ(result.weights[1].kept_units.size(), 4U);
  EXPECT_LT(result.weights_after, result.weights_before);
  for (const CompressedWeight& weight : result.weights) {
    const torch::Tensor matrix =
        model->named_parameters()[parameter_of_weight(model, weight.name)].detach();
    EXPECT_TRUE(torch::equal(weight.codes.to(torch::kFloat) * weight.scale, matrix));
    EXPECT_EQ((matrix * weight.mask.logical_not()).abs().sum().item<float>(), 0);
  }
}

}  // namespace
}  // namespace limber
