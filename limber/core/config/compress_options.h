#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "limber/core/config/constraint.h"
#include "limber/core/config/option_types.h"

/// What `limber compress` does to a trained model (part of limber/core/config/options.h).
namespace limber {

struct AdmmOptions {
  std::int64_t epochs = 3;
  std::int64_t updates_per_epoch = 4;
  double rho = 1e-3;
  double rho_growth = 1.5;
  double learning_rate = 3e-3;
  std::int64_t retrain_epochs = 2;
  double retrain_learning_rate = 1e-3;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("epochs", epochs, at_least(0),
          "Passes over the training data under the penalty; 0 projects at once, which is magnitude "
          "pruning.");
    visit("updates_per_epoch", updates_per_epoch, at_least(1),
          "Projections and updates of the scaled duals in each pass, at most one in 20 steps.");
    visit("rho", rho, positive(), "Strength of the penalty at first.");
    visit("rho_growth", rho_growth, at_least(1), "Factor of the strength at each update.");
    visit("learning_rate", learning_rate, positive(), "Step size under the penalty.");
    visit("retrain_epochs", retrain_epochs, at_least(0),
          "Passes after the projection in which what was pruned stays zero.");
    visit("retrain_learning_rate", retrain_learning_rate, positive(), "Step size in those.");
  }
};

struct CrossbarOptions {
  std::int64_t rows = 128;
  std::int64_t columns = 128;
  std::int64_t cell_bits = 4;
  double variation = 0.05;
  double stuck_low = 0.001;
  double stuck_high = 0.001;
  std::int64_t samples = 0;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("rows", rows, between(2, 4096), "Word lines of a crossbar: inputs of a tile.");
    visit("columns", columns, between(2, 4096), "Bit lines of a crossbar: outputs of a tile.");
    visit("cell_bits", cell_bits, between(1, 8), "Bits that one memory cell tells apart.");
    visit("variation", variation, at_least(0),
          "Deviation of a cell's conductance, as a share of it.");
    visit("stuck_low", stuck_low, between(0, 1), "Share of cells stuck at the lowest conductance.");
    visit("stuck_high", stuck_high, between(0, 1),
          "Share of cells stuck at the highest conductance.");
    visit("samples", samples, at_least(0),
          "Chips drawn at random on which the quality is measured; 0 draws none.");
  }
};

struct CompressOptions {
  std::string rows = "int8";
  std::string vocabularies = "keep";
  Words layers;
  std::string structure = "units";
  Sizes block = {16, 16};
  double keep = 1;
  std::map<std::string, double> keep_of;
  double target_ratio = 0;
  double target_loss = 0;
  std::int64_t bits = 0;
  AdmmOptions admm;
  CrossbarOptions crossbar;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit(
        "rows", rows, one_of({"float32", "fp16", "int8"}),
        "What a row of an embedding table is stored as; int8 has a scale and a middle beside it.");
    visit("vocabularies", vocabularies, one_of({"keep", "perfect_hash"}),
          "perfect_hash: dictionaries become perfect hashes with features.NAME.fingerprint_bits.");
    visit("layers", layers, any(),
          "Weights to prune and to round, by name, as `limber compress --list` shows them; empty "
          "means the hidden layers.");
    visit("structure", structure, one_of({"units", "rows", "columns", "blocks"}),
          "What is pruned together: hidden units, which are removed from the network; rows or "
          "columns of a weight within each tile of `block`; or whole tiles.");
    visit("block", block, between(1, 4096), "Rows and columns of a tile: [16, 16].");
    visit("keep", keep, between(0, 1), "Share of each layer's groups that stay; 1 prunes nothing.");
    visit("keep_of", keep_of, between(0, 1), "That share by the weight's name.");
    visit("target_ratio", target_ratio, at_least(0),
          "Chooses the shares so that that many times fewer dense weights are left; 0 leaves them "
          "as given.");
    visit("target_loss", target_loss, at_least(0),
          "Chooses the smallest shares whose validation metric falls by no more than that; 0 "
          "leaves them as given.");
    visit("bits", bits, between(0, 8),
          "Bits of a dense weight, its sign among them, with one scale a layer; 0 leaves floats.");
    visit("admm", admm, any(), "The alternating direction method of multipliers.");
    visit("crossbar", crossbar, any(), "Memristor crossbars that the weights are mapped onto.");
  }
};

}  // namespace limber
