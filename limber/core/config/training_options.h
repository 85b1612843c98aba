#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "limber/core/config/constraint.h"
#include "limber/core/config/option_types.h"

/// Meta-learning and optimisation (part of limber/core/config/options.h).
namespace limber {

struct MetaOptions {
  std::string order = "second";
  std::int64_t inner_steps = 1;
  std::int64_t adaptation_steps = 3;
  std::string inner_learning_rate = "per_tensor";
  double inner_learning_rate_start = 4.0;
  std::string shrinkage = "learned";
  double shrinkage_start = 5.0;
  std::int64_t tasks_per_batch = 64;
  std::int64_t support = 100;
  std::string support_sizes = "mixed";
  std::int64_t query = 400;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("order", order, one_of({"first", "second"}),
          "Outer gradient: first order, or exact through the inner steps.");
    visit("inner_steps", inner_steps, between(1, 100),
          "Gradient steps of the inner loop in training.");
    visit("adaptation_steps", adaptation_steps, between(0, 100),
          "Gradient steps when a member is adapted after training.");
    visit("inner_learning_rate", inner_learning_rate, one_of({"fixed", "scalar", "per_tensor"}),
          "Inner learning rate: fixed, one learned number, or one learned number per tensor.");
    visit("inner_learning_rate_start", inner_learning_rate_start, positive(),
          "Its value, or the value that learning starts from.");
    visit("shrinkage", shrinkage, one_of({"learned", "fixed"}),
          "The support loss is divided by (rows + kappa), so that the step grows with the "
          "evidence; kappa is learned or fixed.");
    visit("shrinkage_start", shrinkage_start, at_least(0), "kappa, or where learning it starts.");
    visit("tasks_per_batch", tasks_per_batch, between(1, 65536), "Members in one outer step.");
    visit("support", support, between(0, 100000),
          "Most support rows of a member; training draws sizes from 0 up to it.");
    visit(
        "support_sizes", support_sizes, one_of({"log_uniform", "uniform", "mixed"}),
        "How training draws them: few rows as often as many (log_uniform), every size as often as "
        "another (uniform), or each for half of the members (mixed).");
    visit("query", query, between(1, 100000), "Most query rows of a member in one outer step.");
  }
};

struct IncrementalOptions {
  double strength = 1;
  double cold_weight = 0.1;
  std::int64_t fisher_rows = 0;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("strength", strength, at_least(0),
          "How strongly each weight is held to what it was, by what the earlier rows said of it; 0 "
          "is a plain warm start.");
    visit("cold_weight", cold_weight, between(0, 1),
          "How much of that hold, and of the start, is the first model's of the line, in place of "
          "the latest one's.");
    visit("fisher_rows", fisher_rows, at_least(0),
          "Training rows from which a published model learns how sure each weight is (20000 do, in "
          "a few seconds; the model is twice as large); 0 publishes one that train --from can only "
          "warm-start.");
  }
};

struct TrainOptions {
  std::string optimizer = "adam";
  std::string sparse_optimizer = "rowwise_adagrad";
  double learning_rate = 1e-3;
  double sparse_learning_rate = 0.05;
  double weight_decay = 0;
  double warm_up = 0.1;
  std::string schedule = "cosine";
  double clip_norm = 10;
  std::int64_t batch = 4096;
  std::int64_t epochs = 20;
  std::string early_stop = "log_loss";
  std::int64_t patience = 3;
  std::int64_t checkpoint_seconds = 60;
  std::uint64_t seed = 1;
  std::int64_t threads = 0;
  std::string device = "auto";
  bool tensorboard = true;
  std::map<std::string, double> label_weights;
  IncrementalOptions incremental;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("optimizer", optimizer, one_of({"adam", "adagrad", "sgd"}),
          "Optimizer of the dense parameters.");
    visit("sparse_optimizer", sparse_optimizer, one_of({"rowwise_adagrad", "sgd"}),
          "Optimizer of the embedding rows that a batch touches.");
    visit("learning_rate", learning_rate, positive(), "Step size of the dense parameters.");
    visit("sparse_learning_rate", sparse_learning_rate, positive(),
          "Step size of the embedding rows.");
    visit("weight_decay", weight_decay, at_least(0), "Decoupled decay of the dense weights.");
    visit("warm_up", warm_up, between(0, 1), "Share of all steps in which the step size rises.");
    visit("schedule", schedule, one_of({"constant", "linear", "cosine"}),
          "How the step size falls after the warm-up.");
    visit("clip_norm", clip_norm, at_least(0),
          "Largest norm of the dense gradient; 0 switches clipping off.");
    visit(
        "batch", batch, between(1, 10000000),
        "Rows in one step of a model without support (those with support: meta.tasks_per_batch).");
    visit("epochs", epochs, between(1, 100000), "Passes over the training data, at most.");
    visit("early_stop", early_stop, one_of({"none", "log_loss", "auc", "gauc"}),
          "Validation metric that ends training and chooses the kept weights.");
    visit("patience", patience, at_least(1), "Epochs without improvement before training ends.");
    visit("checkpoint_seconds", checkpoint_seconds, at_least(0),
          "Seconds between checkpoints; 0 checkpoints after every step.");
    visit("seed", seed, at_least(0), "Seed of every random draw.");
    visit("threads", threads, between(0, 4096),
          "Compute threads; 0 means all cores. The same number gives the same bits.");
    visit("device", device, one_of({"auto", "cpu", "cuda"}), "Where training runs.");
    visit("tensorboard", tensorboard, any(), "Write TensorBoard event files beside the log.");
    visit("label_weights", label_weights, at_least(0),
          "Weight of each label's loss and in early stopping, by label, above 0; 1 where none is "
          "given. Adaptation to a member counts all labels alike.");
    visit("incremental", incremental, any(), "Going on from a published model: train --from.");
  }
};

struct ExploreOptions {
  bool enabled = false;
  double prior_precision = 1;
  double scale = 0.25;
  double keep = 0.5;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("enabled", enabled, any(),
          "Keep with the model how uncertain each label's last layer is, so that rankings can "
          "explore by Thompson sampling.");
    visit("prior_precision", prior_precision, positive(),
          "1 / variance of each weight of a last layer before any row.");
    visit("scale", scale, at_least(0),
          "Deviations that a ranking draws, in those of the posterior; 0 never explores.");
    visit("keep", keep, between(0, 1),
          "train --from: share of what was known before that still counts.");
  }
};

}  // namespace limber
