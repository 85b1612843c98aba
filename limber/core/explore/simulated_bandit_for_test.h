#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/core/explore/last_layer_rows.h"

namespace limber {

/// What is simulated; the same seed gives the same members, items and answers to every policy.
///
/// As it stands it is a world of cold topics: 5 are known, 55 open one by one, a round each, and
/// what an item is worth is mostly its topic's. Topics that no log has shown are where a posterior
/// matters. With 15 topics, all known, and a `trait_effect` of 0.2, items and members differ in
/// what is known from the start, and whoever shows the best learns of all of it on the way.
struct SimulatedBanditOptions {
  LastLayerLabel label = LastLayerLabel::kBinary;
  std::size_t topics = 60;
  std::size_t known_topics = 5;  ///< open from the start; one more opens at the end of each round
  double trait_effect = 0.05;    ///< deviation of the true weights of traits; of topics it is 1
  std::size_t items_a_topic = 20;
  std::size_t candidates = 20;
  std::uint64_t seed = 1;
};

/// Members, items and rewards whose truth is known: a contextual bandit.
///
/// A member is u [8], an item q [8] and a topic. A candidate's input is
///
///     z = [1, q, u o q, one-hot(topic)]     [17 + topics]
///
/// so an item is a good one by itself, for this member, or by its topic, and the reward is a click
/// with probability sigmoid(w.z), or w.z and a unit of noise. The true w is drawn anew for each
/// seed; its bias is -2 where rewards are clicks.
class SimulatedBandit {
 public:
  using Candidates = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  explicit SimulatedBandit(const SimulatedBanditOptions& options)
      : options_(options), random_(mix64(options.seed)) {
    weights_.resize(static_cast<Eigen::Index>(dim()));
    weights_[0] = binary() ? -2 : 0;
    for (Eigen::Index i = 1; i < weights_.size(); ++i) {
      weights_[i] = (i <= 2 * kTraits ? options.trait_effect : 1.0) * random_.normal();
    }
    items_.resize(static_cast<Eigen::Index>(options.topics * options.items_a_topic), kTraits);
    for (double& trait : items_.reshaped()) trait = random_.normal();
  }

  std::size_t dim() const { return 1 + 2 * kTraits + options_.topics; }

  /// The candidates [K, dim] of the next request: items of topics that are open in `round`.
  Candidates next_request(std::size_t round) {
    Eigen::Matrix<double, 1, kTraits> member;
    for (double& trait : member) trait = random_.normal();
    const std::size_t open = std::min(options_.topics, options_.known_topics + round);
    Candidates candidates = Candidates::Zero(static_cast<Eigen::Index>(options_.candidates),
                                             static_cast<Eigen::Index>(dim()));
    for (auto candidate : candidates.rowwise()) {
      const std::size_t item = random_.below(open * options_.items_a_topic);
      const auto traits = items_.row(static_cast<Eigen::Index>(item));
      candidate[0] = 1;
      candidate.segment<kTraits>(1) = traits;
      candidate.segment<kTraits>(1 + kTraits) = member.cwiseProduct(traits);
      candidate[static_cast<Eigen::Index>(1 + 2 * kTraits + item / options_.items_a_topic)] = 1;
    }
    chance_ = binary() ? random_.uniform() : random_.normal();
    return candidates;
  }

  /// The expected rewards [K].
  Eigen::VectorXd expected(const Candidates& candidates) const {
    const Eigen::VectorXd outputs = candidates * weights_;
    return binary() ? (1 / (1 + (-outputs.array()).exp())).matrix() : outputs;
  }

  /// What the member of the last request answers to a candidate of that expected reward.
  double reward(double expected) const {
    return binary() ? static_cast<double>(chance_ < expected) : expected + chance_;
  }

 private:
  static constexpr Eigen::Index kTraits = 8;

  bool binary() const { return options_.label == LastLayerLabel::kBinary; }

  SimulatedBanditOptions options_;
  Random random_;
  Eigen::VectorXd weights_;
  Eigen::MatrixXd items_;
  double chance_ = 0;
};

}  // namespace limber
