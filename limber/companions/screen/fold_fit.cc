#include "limber/companions/screen/fold_fit.h"

#include <algorithm>
#include <cmath>

#include "limber/companions/screen/feature_order.h"
#include "limber/companions/screen/parallel.h"
#include "limber/companions/screen/selection.h"
#include "limber/core/base/error.h"

namespace limber::screen {

std::vector<Candidate> FitOptions::candidates() const {
  std::vector<Candidate> result;
  for (const std::int64_t size : sizes) {
    for (const double share : shares) result.push_back({size, share});
  }
  return result;
}

FoldFit::FoldFit(const SampleMatrix& matrix, const Classes& classes, std::vector<int> training,
                 const FitOptions& options)
    : matrix_(matrix),
      classes_(classes),
      training_(std::move(training)),
      kind_(rule_kind(options, classes)) {
  std::vector<std::int64_t> counts(classes.names.size(), 0);
  for (const int i : training_) {
    ++counts[static_cast<std::size_t>(classes.of_sample[static_cast<std::size_t>(i)])];
  }
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) {
      throw InputError(
          "class '{}' has no sample among those to learn from; give it more samples "
          "or use fewer folds",
          classes.names[k]);
    }
  }
  const std::size_t width = record_size(classes.count());
  records_.resize(static_cast<std::size_t>(matrix.features()) * width);
  parallel_parts(
      matrix.features(), options.estimate.threads, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t j = begin; j < end; ++j) {
          summarise(matrix_.feature(j), classes_, training_,
                    std::span(records_).subspan(static_cast<std::size_t>(j) * width, width));
        }
      });
  const RecordTable table{.parts = {records_}, .width = width};
  estimate_ = screen::estimate(table, options.estimate, "the samples to learn from");
  intercepts_ = intercepts(kind_, options.priors.shares(classes.names, counts));
  degrees_ = std::max<double>(
      1, static_cast<double>(training_.size()) - static_cast<double>(classes.names.size()));

  struct Rank {
    RankKey key;
    double zero = 2;  ///< 2 = not usable
  };
  std::vector<Rank> ranks(static_cast<std::size_t>(matrix.features()));
  parallel_parts(matrix.features(), options.estimate.threads,
                 [&](std::int64_t begin, std::int64_t end, int) {
                   FeatureScorer scorer(estimate_);
                   FeatureScore score;
                   for (std::int64_t j = begin; j < end; ++j) {
                     scorer.score(record(j), score);
                     Rank& rank = ranks[static_cast<std::size_t>(j)];
                     rank = {RankKey::of(score, j), score.usable ? score.zero() : 2};
                   }
                 });
  std::vector<double> zeros;
  for (std::int64_t j = 0; j < matrix.features(); ++j) {
    const Rank& rank = ranks[static_cast<std::size_t>(j)];
    if (rank.zero > 1.5) continue;
    ranked_.push_back(j);
    zeros.push_back(rank.zero);
  }
  std::sort(ranked_.begin(), ranked_.end(), [&](std::int64_t a, std::int64_t b) {
    return ranks_before(ranks[static_cast<std::size_t>(a)].key,
                        ranks[static_cast<std::size_t>(b)].key,
                        [&](std::int64_t j) { return matrix_.name(j); });
  });
  const FdrThreshold threshold = fdr_threshold(zeros, options.fdr);
  for (const std::int64_t j : ranked_) {
    if (ranks[static_cast<std::size_t>(j)].zero <= threshold.zero) selected_.push_back(j);
  }
}

Record FoldFit::record(std::int64_t feature) const {
  const std::size_t width = record_size(classes_.count());
  return {std::span(records_).subspan(static_cast<std::size_t>(feature) * width, width)};
}

std::int64_t FoldFit::size_of(const Candidate& candidate) const {
  const auto all = static_cast<std::int64_t>(ranked_.size());
  if (candidate.features == Candidate::kFdr) return static_cast<std::int64_t>(selected_.size());
  return candidate.features == Candidate::kAll ? all : std::min(candidate.features, all);
}

void FoldFit::residuals(std::int64_t feature, double scale, std::span<double> result) const {
  const auto values = matrix_.feature(feature);
  const Record here = record(feature);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto sample = static_cast<std::size_t>(training_[i]);
    const double value = (values[sample] - here.mean(classes_.of_sample[sample])) / scale;
    result[i] = std::isnan(value) ? 0 : value;
  }
}

template <class Snapshot>
void FoldFit::accumulate(const std::vector<std::int64_t>& order, std::vector<std::int64_t> sizes,
                         std::span<const int> others, CrossProducts& products,
                         Snapshot&& snapshot) const {
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  FeatureScorer scorer(estimate_);
  FeatureScore score;
  RuleTerms terms;
  std::vector<double> r(products.training());
  std::vector<double> u(others.size());
  std::int64_t done = 0;
  for (const std::int64_t size : sizes) {
    for (; done < size; ++done) {
      const std::int64_t j = order[static_cast<std::size_t>(done)];
      scorer.score(record(j), score);
      rule_terms(kind_, record(j), score, terms);
      residuals(j, score.scale, r);
      const auto values = matrix_.feature(j);
      for (std::size_t i = 0; i < others.size(); ++i) {
        u[i] = (values[static_cast<std::size_t>(others[i])] - terms.center) / score.scale;
      }
      products.add(r, u, terms.differences, terms.offsets);
    }
    snapshot(size);
  }
}

std::vector<std::vector<double>> FoldFit::scores(std::span<const Candidate> candidates,
                                                 std::span<const int> others) const {
  std::vector<std::vector<double>> result(candidates.size());
  for (const bool fdr : {false, true}) {
    std::vector<std::int64_t> sizes;
    bool independent = true;
    for (const Candidate& candidate : candidates) {
      if ((candidate.features == Candidate::kFdr) != fdr) continue;
      sizes.push_back(size_of(candidate));
      independent = independent && candidate.share >= 1;
    }
    if (sizes.empty()) continue;
    CrossProducts products(independent ? 0 : training_.size(), others.size(), directions());
    accumulate(fdr ? selected_ : ranked_, sizes, others, products, [&](std::int64_t size) {
      for (std::size_t c = 0; c < candidates.size(); ++c) {
        if ((candidates[c].features == Candidate::kFdr) != fdr || size_of(candidates[c]) != size) {
          continue;
        }
        result[c] = products.scores(candidates[c].share, degrees_);
        for (std::size_t i = 0; i < result[c].size(); ++i) {
          result[c][i] += intercepts_[i % directions()];
        }
      }
    });
  }
  return result;
}

FoldFit::Weights FoldFit::weights(std::span<const Candidate> candidates,
                                  std::span<const double> divisors) const {
  Weights result;
  result.intercepts.assign(directions(), 0.0);
  const double count = static_cast<double>(candidates.size());
  // Rank of each feature -> its weight, as far as the longest candidate reaches.
  std::vector<double> by_feature(static_cast<std::size_t>(matrix_.features()) * directions(), 0.0);
  std::vector<char> used(static_cast<std::size_t>(matrix_.features()), 0);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Candidate& candidate = candidates[c];
    const auto& order = candidate.features == Candidate::kFdr ? selected_ : ranked_;
    const std::int64_t size = size_of(candidate);
    CrossProducts products(candidate.share < 1 ? training_.size() : 0, 0, directions());
    accumulate(order, {size}, {}, products, [](std::int64_t) {});
    const std::vector<double> dual = products.dual(candidate.share, degrees_);
    const std::vector<double> offsets = products.offset_terms(candidate.share, dual);
    const double factor = 1 / (divisors[c] * count);
    for (std::size_t k = 0; k < directions(); ++k) {
      result.intercepts[k] += factor * (offsets[k] + intercepts_[k]);
    }
    FeatureScorer scorer(estimate_);
    FeatureScore score;
    RuleTerms terms;
    std::vector<double> r(products.training());
    for (std::int64_t i = 0; i < size; ++i) {
      const auto j = static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
      const Record here = record(order[static_cast<std::size_t>(i)]);
      scorer.score(here, score);
      rule_terms(kind_, here, score, terms);
      residuals(order[static_cast<std::size_t>(i)], score.scale, r);
      used[j] = 1;
      for (std::size_t k = 0; k < directions(); ++k) {
        double weight = terms.differences[k];
        for (std::size_t s = 0; s < r.size(); ++s) weight -= r[s] * dual[s * directions() + k];
        by_feature[j * directions() + k] += factor * weight / candidate.share;
      }
    }
  }
  for (const std::int64_t feature : ranked_) {
    const auto j = static_cast<std::size_t>(feature);
    if (!used[j]) continue;
    result.features.push_back(feature);
    for (std::size_t k = 0; k < directions(); ++k) {
      result.weights.push_back(by_feature[j * directions() + k]);
    }
  }
  return result;
}

}  // namespace limber::screen
