#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "limber/core/config/compress_options.h"
#include "limber/training/compress/budget.h"
#include "limber/training/compress/network.h"

namespace limber {

/// What is asked of one weight.
struct CompressionTarget {
  CompressibleWeight weight;
  const PruningGroups* groups = nullptr;  ///< nullptr: nothing is pruned
  double share = 1;                       ///< of the groups that stay
  std::int64_t bits = 0;                  ///< 0: any number

  /// What is pruned: the matrix, and where `groups` count it the bias as one more row. A copy.
  torch::Tensor pruned() const;
  /// Whether `groups` count the bias.
  bool with_bias() const { return groups != nullptr && weight.bias.defined(); }
};

/// The targets of the weights that a budget selects.
std::vector<CompressionTarget> compression_targets(const std::vector<CompressibleWeight>& weights,
                                                   const Budget& budget,
                                                   const CompressOptions& options, double share);

/// The gradient of a weight's matrix, or of its bias, as a view to add to; zeros where the loss
/// does not reach the weight. Throws Error where the network's as_matrix makes a copy of it.
torch::Tensor matrix_gradient(CompressibleWeight& weight);
torch::Tensor bias_gradient(CompressibleWeight& weight);

/// The alternating direction method of multipliers (Boyd et al. 2011, Foundations and Trends in
/// Machine Learning 3, section 3.1.1, scaled form) for a loss f of weights W that shall lie in the
/// sets P of pruned and Q of rounded matrices (Yuan et al. 2019, arXiv 1908.11691):
///
///     W by gradient steps on f + rho/2 |W - Z + U|^2 + rho/2 |W - Y + T|^2
///     Z = nearest of P to W + U,  U += W - Z
///     Y = nearest of Q to W + T,  T += W - Y
///
/// f is the mean loss of a row, so that rho means the same for every batch. rho grows by
/// rho_growth at each update, and U and T shrink by it: what they are scaled from stays (section
/// 3.4.1 there). It stops at kMostGrowth times the first: more would only freeze the weights, and
/// in the end exceed what floats hold.
class Admm {
 public:
  static constexpr double kMostGrowth = 1000;
  /// Steps of the optimiser that W needs between two updates. Duals that are added to before W has
  /// followed the last ones wind up, and Z goes from one choice of groups to the next.
  static constexpr std::int64_t kFewestSteps = 20;

  /// Norms over all weights together.
  struct Residuals {
    double primal = 0;   ///< |W - Z| and |W - Y|
    double dual = 0;     ///< rho |Z - Z before| and rho |Y - Y before|
    double weights = 0;  ///< |W|, to compare them with
  };

  /// Starts at Z and Y nearest to the weights, without duals. `targets` must outlive it.
  Admm(std::vector<CompressionTarget>& targets, const AdmmOptions& options);

  /// Adds the gradients of the penalty to those of the parameters.
  void add_gradients();
  Residuals update();
  double rho() const { return rho_; }

  /// Everything that it remembers, by name: what a checkpoint must hold. rho is set apart.
  std::vector<std::pair<std::string, torch::Tensor>> state();
  void set_rho(double rho) { rho_ = rho; }

 private:
  struct Copy {
    torch::Tensor value, dual;  ///< undefined where the target does not ask for it
  };
  static void add_penalty(CompressionTarget& target, const torch::Tensor& pull, bool with_bias,
                          double rho);

  std::vector<CompressionTarget>& targets_;
  std::vector<Copy> pruned_, rounded_;  ///< Z and U, Y and T
  double rho_, growth_, most_rho_;
};

}  // namespace limber
