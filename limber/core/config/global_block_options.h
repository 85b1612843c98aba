#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "limber/core/config/constraint.h"
#include "limber/core/config/option_types.h"

/// The network that all members share (part of limber/core/config/options.h).
namespace limber {

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

}  // namespace limber
