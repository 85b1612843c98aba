#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace limber {

/// Lines of another weight that go when a unit goes: unit j is read by its lines
/// [j * lines, (j + 1) * lines).
struct UnitReader {
  std::string name;        ///< of the weight
  bool rows = true;        ///< word lines; else bit lines, as of a gate on the units themselves
  std::int64_t lines = 1;  ///< for each unit: kernel elements or pixels, where there are several
};

/// A weight that compression may act on, seen as a matrix [inputs, outputs]: a row is what a word
/// line of a crossbar carries, a column what a bit line sums, which is one unit of the layer (one
/// filter of a convolution).
struct CompressibleWeight {
  std::string name;
  /// A view of the network's own parameter, maybe a transposed one: writing to it writes there.
  torch::Tensor matrix;
  /// [outputs], or undefined: goes with its unit, so that a pruned unit is 0 whatever its input.
  torch::Tensor bias;
  /// The parameters behind both, whose gradients have their shapes.
  torch::Tensor parameter, bias_parameter;
  /// Gradient of the parameter -> the matrix of the same view.
  std::function<torch::Tensor(const torch::Tensor&)> as_matrix;
  /// Units may be taken out: whoever reads them is known.
  bool removable = false;
  /// Of a removable weight: who reads its units.
  std::vector<UnitReader> readers;
  /// Weights with the same word here stay equally wide, and the widest decides; empty: none.
  std::string tied;
  /// Hidden: compressed where compress.layers is empty.
  bool hidden = false;
};

/// A network that can be compressed: the ranking model, or a network of convolutions. Everything
/// that compress/ does goes through this.
class CompressibleNetwork {
 public:
  /// What happens within a step: `before_step` once the gradients of the training loss stand in
  /// the parameters, `after_step` once the optimiser has moved them. `keep_going` is asked between
  /// steps.
  struct Hooks {
    std::function<void(std::int64_t step)> before_step = [](std::int64_t) {};
    std::function<void(std::int64_t step)> after_step = [](std::int64_t) {};
    std::function<bool()> keep_going = [] { return true; };
  };
  /// Means over validation rows or over test rows.
  struct Quality {
    double loss = 0;    ///< log loss or cross entropy
    double metric = 0;  ///< AUC, or accuracy; higher is better
  };

  virtual ~CompressibleNetwork() = default;

  virtual std::vector<CompressibleWeight> weights() = 0;
  virtual std::int64_t steps_per_epoch() const = 0;
  /// One pass over the training data on the real training loss; the same `epoch` is the same pass.
  /// The optimiser is new with epoch 0 of each `phase` and kept between passes of one; where it is
  /// among state(), a run that was cut off goes on to the same bits. Returns the mean loss.
  virtual double train_epoch(const std::string& phase, std::int64_t epoch, double learning_rate,
                             const Hooks& hooks) = 0;
  virtual Quality validate() = 0;
  virtual Quality test() = 0;
  /// What `metric` is: "AUC", "accuracy".
  virtual std::string metric_name() const = 0;

  /// What it is trained and validated on, and how: a checkpoint of another is not continued.
  virtual std::string origin() const { return {}; }

  /// Everything trained, by name: what a checkpoint must hold.
  virtual std::vector<std::pair<std::string, torch::Tensor>> state() = 0;
};

}  // namespace limber
