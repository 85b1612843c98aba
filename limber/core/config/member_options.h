#pragma once

#include <cstdint>
#include <string>

#include "limber/core/config/constraint.h"
#include "limber/core/config/option_types.h"

/// What the model makes of a member (part of limber/core/config/options.h).
namespace limber {

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
    visit("length", length, between(5, 1000),
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

}  // namespace limber
