#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "limber/core/config/constraint.h"

/// Every option of Limber, once: its name, type, default (the member's initialiser), range and one
/// sentence. The YAML reader, --set, --help and docs/options.md are all made by visiting
/// `describe`, so they cannot drift apart.
namespace limber {

using Words = std::vector<std::string>;
using Sizes = std::vector<std::int64_t>;

struct TableOptions {
  std::string path;
  std::string key;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("path", path, required(), "File, folder or glob of the side table.");
    visit("key", key, required(),
          "Column that identifies a row; the interactions must have a column of the same name.");
  }
};

struct DataOptions {
  Words interactions;
  std::map<std::string, TableOptions> tables;
  std::string task;
  std::string time;
  std::map<std::string, std::string> labels;
  std::string missing_labels = "fail";
  std::string weight;
  std::string split = "auto";
  double validation_share = 0.1;
  double test_share = 0.1;
  std::uint64_t split_seed = 1;
  std::string on_bad_row = "fail";
  std::string cache;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("interactions", interactions, required(),
          "CSV, CSV.gz or Parquet files, folders or globs with one row per impression.");
    visit("tables", tables, any(), "Side tables by name, joined to the interactions by their key.");
    visit("task", task, required(),
          "Column that says whom to personalise for, such as the member's id.");
    visit("time", time, any(),
          "Column that orders a member's interactions; leave empty where no time exists, and "
          "splits are seeded random.");
    visit("labels", labels, required(),
          "Labels by name: a column, or a comparison of a column with a number or a word such as "
          "'rating >= 4'.");
    visit("missing_labels", missing_labels, one_of({"fail", "absent"}),
          "An empty label: a bad row, or one that says nothing of this label (which then counts in "
          "no loss and no metric).");
    visit(
        "weight", weight, any(),
        "Column of sample weights, numbers of 0 or more; a row of weight 2 counts as two of it, in "
        "training, adaptation and metrics. Empty means that every row counts once.");
    visit("split", split, one_of({"auto", "members", "chronological", "random"}),
          "How rows become training, validation and test: whole members (cold members), the last "
          "rows of each member by time, or random rows of each member; auto is chronological "
          "where data.time is given, else random.");
    visit("validation_share", validation_share, between(0.001, 0.5),
          "Share of members (split: members) or of each member's rows held out for validation.");
    visit("test_share", test_share, between(0.001, 0.5),
          "Share of members (split: members) or of each member's rows held out for the test.");
    visit("split_seed", split_seed, at_least(0),
          "Seed of the split, apart from train.seed so that runs with other seeds share the test.");
    visit("on_bad_row", on_bad_row, one_of({"fail", "skip"}),
          "What to do with a row that cannot be read: end with an error that names file, row and "
          "column, or skip and count it.");
    visit("cache", cache, any(),
          "Folder for the encoded copy of the data; empty means a folder beside the model.");
  }
};

struct FeatureOptions {
  std::string name;
  std::string kind;
  std::string column;
  std::int64_t dim = 16;
  std::string transform = "standardize";
  std::int64_t buckets = 16;
  std::string separator = "|";
  std::string vocabulary = "dictionary";
  std::int64_t min_count = 1;
  std::int64_t hash_size = 100000;
  std::string of;
  std::int64_t length = 50;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("name", name, required(), "The feature's name, used in model.*.inputs.");
    visit("kind", kind, one_of({"number", "id", "ids", "sequence"}),
          "number: a numeric column; id: one value looked up in an embedding table; ids: several "
          "values, averaged; sequence: the member's earlier values of another id feature.");
    visit("column", column, any(),
          "Column it is read from, in the interactions or in a side table; empty means the name.");
    visit("dim", dim, between(1, 4096), "Width of the embedding (id, ids, sequence, bucketize).");
    visit("transform", transform, one_of({"none", "standardize", "log1p", "bucketize"}),
          "number only: as it is; (x - mean) / deviation; log(1 + x) then standardized; quantile "
          "buckets with an embedding each.");
    visit("buckets", buckets, between(2, 1000), "Number of quantile buckets of bucketize.");
    visit("separator", separator, any(), "ids only: what separates the values of a text column.");
    visit("vocabulary", vocabulary, one_of({"dictionary", "hash"}),
          "id, ids: remember every value seen in training, or hash values into hash_size rows.");
    visit("min_count", min_count, at_least(1),
          "dictionary: values seen fewer times share the out-of-vocabulary row.");
    visit("hash_size", hash_size, between(2, 2147483647), "hash: number of embedding rows.");
    visit("of", of, any(), "sequence only: the id feature whose values make the sequence.");
    visit("length", length, between(1, 1000), "sequence only: how many of the latest values.");
  }
};

struct MetaBlockOptions {
  bool enabled = true;
  Words inputs;
  std::string level = "interaction";
  Sizes hidden = {64, 64};
  std::int64_t dim = 16;
  std::string activation = "relu";
  std::string adapt = "weights";
  std::string start = "zero";

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("enabled", enabled, any(), "Personalise by adapting a meta block to each member.");
    visit("inputs", inputs, any(),
          "Features read by the meta block; empty means all features but sequences.");
    visit("level", level, one_of({"interaction", "member"}),
          "interaction: the block sees each support row and its outputs are averaged (shrunken); "
          "member: it sees only features that are constant within a member.");
    visit("hidden", hidden, between(1, 65536), "Widths of the block's hidden layers.");
    visit("dim", dim, between(1, 1024), "Width of the meta embedding.");
    visit("activation", activation, one_of({"relu", "tanh"}), "Activation of the hidden layers.");
    visit("adapt", adapt, one_of({"weights", "embedding"}),
          "What the inner loop moves: the block's weights, or the embedding alone (cheapest).");
    visit("start", start, one_of({"zero", "history"}),
          "Added to the block's output before adaptation: nothing, or a projection of the history "
          "encoder's output (needs model.history.enabled).");
  }
};

struct HistoryOptions {
  bool enabled = false;
  Words inputs;
  Sizes hidden = {64};
  std::int64_t dim = 32;
  std::string pooling = "mean";
  std::string signal = "label";
  std::int64_t length = 50;
  std::int64_t layers = 2;
  std::int64_t heads = 2;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("enabled", enabled, any(),
          "Encode the member's support rows with their labels into one vector.");
    visit("inputs", inputs, any(),
          "Features of a support row that the encoder reads; empty means those of the meta block.");
    visit("hidden", hidden, between(1, 65536), "Widths of the encoder's hidden layers.");
    visit("dim", dim, between(1, 1024), "Width of the history vector.");
    visit("pooling", pooling, one_of({"mean", "attention", "transformer"}),
          "Average the support rows (shrunken), weigh them by the candidate, or read them with the "
          "candidate as a sequence.");
    visit("signal", signal, one_of({"label", "residual"}),
          "What the encoder is told about a support row: its labels, or labels minus the "
          "un-personalised model's predictions.");
    visit("length", length, between(1, 1000),
          "transformer only: how many of the latest support rows are read.");
    visit("layers", layers, between(1, 16), "transformer only: encoder layers.");
    visit("heads", heads, between(1, 64),
          "transformer only: attention heads; dim must be a multiple.");
  }
};

struct StatisticsOptions {
  bool enabled = false;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("enabled", enabled, any(),
          "Give the global block the support's size, its mean label and mean residual.");
  }
};

struct CrossOptions {
  std::string kind = "full";
  std::int64_t layers = 2;
  std::int64_t rank = 32;
  std::int64_t tokens = 4;
  double temperature = 1;
  bool skip = true;
  bool parallel = true;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit(
        "kind", kind, one_of({"none", "full", "low_rank", "residual"}),
        "Form of the DCNv2 cross layers; residual is low_rank with attention between the parts of "
        "its bottleneck.");
    visit("layers", layers, between(1, 16), "Number of cross layers.");
    visit("rank", rank, between(1, 4096), "low_rank, residual: width of the bottleneck.");
    visit("tokens", tokens, between(1, 4096),
          "residual only: how many parts the bottleneck is cut into; rank must be a multiple.");
    visit("temperature", temperature, positive(),
          "residual only: what the attention's scores are divided by; higher is more even.");
    visit("skip", skip, any(),
          "residual only: add what enters the attention to what leaves it, which keeps training "
          "stable.");
    visit("parallel", parallel, any(),
          "residual only: a plain low_rank cross of as many layers beside it; both are added.");
  }
};

struct CalibrationOptions {
  bool enabled = false;
  Words inputs;
  std::int64_t buckets = 32;
  double range = 8;
  double floor = 0.01;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit(
        "enabled", enabled, any(),
        "Pass each logit through a rising, piecewise linear curve that is trained with the rest.");
    visit("inputs", inputs, any(),
          "Features whose values have curves of their own, such as the device; empty means one "
          "curve for all.");
    visit("buckets", buckets, between(1, 1000), "Pieces of a curve.");
    visit("range", range, positive(),
          "They divide logits from -range to range; the outer two go on beyond.");
    visit("floor", floor, between(0, 0.5), "Smallest slope of a piece.");
  }
};

struct ExpertOptions {
  std::string kind = "none";
  std::map<std::string, Words> groups;
  std::int64_t count = 4;
  std::int64_t own = 1;
  Sizes hidden = {64};

  template <class Visitor>
  void describe(Visitor& visit) {
    visit(
        "kind", kind, one_of({"none", "groups", "mmoe", "ple"}),
        "Layers above hidden: none, so that all labels share everything; groups, a tower for each "
        "group of labels; mmoe, shared experts that each group mixes in its own way; ple, shared "
        "experts and each group's own.");
    visit("groups", groups, any(),
          "Groups of labels by name, each label in one; empty means each label is its own group.");
    visit("count", count, between(1, 64), "mmoe, ple: number of shared experts.");
    visit("own", own, between(1, 64), "ple: number of experts of each group.");
    visit("hidden", hidden, between(1, 65536), "Widths of the layers of a tower or an expert.");
  }
};

struct GlobalBlockOptions {
  Words inputs;
  Words wide;
  CrossOptions cross;
  Sizes hidden = {128, 64};
  std::string activation = "relu";
  std::string gate = "none";
  std::int64_t gate_rank = 16;
  double dropout = 0;
  ExpertOptions experts;
  CalibrationOptions calibration;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("inputs", inputs, any(), "Features read by the global block; empty means all.");
    visit("wide", wide, any(),
          "Features whose embeddings also reach the logit directly, through one linear map.");
    visit("cross", cross, any(), "Explicit feature crosses.");
    visit("hidden", hidden, between(1, 65536),
          "Widths of the fully connected layers, after the crosses.");
    visit("activation", activation, one_of({"relu", "tanh"}), "Activation of the hidden layers.");
    visit("gate", gate, one_of({"none", "diagonal", "low_rank", "full"}),
          "Multiply each hidden unit by a number between 0 and 1 that depends on its layer: on the "
          "unit alone, on all through a bottleneck, or on all.");
    visit("gate_rank", gate_rank, between(1, 4096), "gate: low_rank: width of the bottleneck.");
    visit("dropout", dropout, between(0, 0.9), "Share of hidden units dropped in training.");
    visit("experts", experts, any(), "How several labels share the layers.");
    visit("calibration", calibration, any(), "Isotonic calibration of the logits.");
  }
};

struct ModelOptions {
  MetaBlockOptions meta_block;
  HistoryOptions history;
  StatisticsOptions statistics;
  GlobalBlockOptions global_block;
  std::map<std::string, double> score;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("meta_block", meta_block, any(), "The part that is adapted to each member.");
    visit("history", history, any(), "An encoder of the support rows, without inner gradients.");
    visit("statistics", statistics, any(), "Support statistics as features.");
    visit("global_block", global_block, any(), "The part that all members share.");
    visit("score", score, any(),
          "What candidates are ranked by: the sum of these weights, by label, times the labels' "
          "probabilities. Empty means the first label's probability.");
  }
};

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

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("optimizer", optimizer, one_of({"adam", "sgd"}), "Optimizer of the dense parameters.");
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
          "Weight of each label's loss, by label; 1 where none is given.");
  }
};

struct Config {
  std::string name = "model";
  DataOptions data;
  std::vector<FeatureOptions> features;
  ModelOptions model;
  MetaOptions meta;
  TrainOptions train;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("name", name, required(), "Name of the model, and of its folder.");
    visit("data", data, any(), "Where the logs are and what they mean.");
    visit("features", features, required(), "The columns that the model sees, and how.");
    visit("model", model, any(), "The network.");
    visit("meta", meta, any(), "Meta-learning.");
    visit("train", train, any(), "Optimisation.");
  }
};

}  // namespace limber
