#pragma once

#include <map>
#include <string>
#include <vector>

#include "limber/core/config/compress_options.h"
#include "limber/core/config/data_options.h"
#include "limber/core/config/global_block_options.h"
#include "limber/core/config/member_options.h"
#include "limber/core/config/training_options.h"

/// Every option of Limber, once: its name, type, default (the member's initialiser), range and one
/// sentence. The YAML reader, --set, --help and docs/options.md are all made by visiting
/// `describe`, so they cannot drift apart.
namespace limber {

struct ModelOptions {
  MetaBlockOptions meta_block;
  HistoryOptions history;
  StatisticsOptions statistics;
  GlobalBlockOptions global_block;
  bool batch_norm = false;
  std::map<std::string, double> score;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("meta_block", meta_block, any(), "The part that is adapted to each member.");
    visit("history", history, any(), "An encoder of the support rows, without inner gradients.");
    visit("statistics", statistics, any(), "Support statistics as features.");
    visit("global_block", global_block, any(), "The part that all members share.");
    visit("batch_norm", batch_norm, any(),
          "Normalise number features once more: in training by each batch's mean and deviation, "
          "after it by their running averages.");
    visit("score", score, any(),
          "What candidates are ranked by: the sum of these weights, by label, times the labels' "
          "probabilities. Empty means the first label's probability.");
  }
};

struct Config {
  std::string name = "model";
  DataOptions data;
  std::vector<FeatureOptions> features;
  ModelOptions model;
  MetaOptions meta;
  TrainOptions train;
  ExploreOptions explore;
  CompressOptions compress;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("name", name, required(), "Name of the model, and of its folder.");
    visit("data", data, any(), "Where the logs are and what they mean.");
    visit("features", features, required(), "The columns that the model sees, and how.");
    visit("model", model, any(), "The network.");
    visit("meta", meta, any(), "Meta-learning.");
    visit("train", train, any(), "Optimisation.");
    visit("explore", explore, any(), "Exploring.");
    visit("compress", compress, any(), "What limber compress does to the trained model.");
  }
};

}  // namespace limber
