#include "limber/companions/screen/fit.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "limber/companions/screen/feature_order.h"
#include "limber/companions/screen/parallel.h"
#include "limber/companions/screen/ranked_features.h"
#include "limber/companions/screen/selection.h"
#include "limber/core/base/error.h"
#include "limber/core/base/main.h"

namespace limber::screen {
namespace {

/// The features of the rule with their weights, before they are put in order.
struct Rule {
  std::vector<std::int64_t> features;
  std::vector<double> weights;  ///< [features, directions]
  std::vector<double> intercepts;
  Tuning tuning;
  bool tuned = false;
};

RecordTable table_of(const Statistics& statistics) {
  RecordTable table;
  table.width = record_size(static_cast<int>(statistics.classes().size()));
  for (const auto& block : statistics.blocks()) table.parts.push_back(block.records);
  return table;
}

/// Calls `work(feature number, record, score)` for all features in order.
template <class Work>
void each_score(const Statistics& statistics, const Estimate& estimate, Work&& work) {
  FeatureScorer scorer(estimate);
  FeatureScore score;
  for (const auto& block : statistics.blocks()) {
    if (stop_requested()) throw Error("stopped by a signal; nothing was written");
    for (std::int64_t i = 0; i < block.features; ++i) {
      scorer.score(block.record(i), score);
      work(block.first + i, block.record(i), score);
    }
  }
}

FdrThreshold threshold_of(const Statistics& statistics, const Estimate& estimate, double rate) {
  const TemporaryFolder folder;
  MappedFile file = MappedFile::create(
      folder.path() / "zeros", static_cast<std::size_t>(estimate.usable()) * sizeof(double));
  const std::span<double> zeros = file.as<double>();
  std::size_t count = 0;
  each_score(statistics, estimate, [&](std::int64_t, const Record&, const FeatureScore& score) {
    if (score.usable) zeros[count++] = score.zero();
  });
  return fdr_threshold(zeros.first(count), rate);
}

/// Numbers, ascending, of the `size` usable features that rank first.
std::vector<std::int64_t> first_ranks(const Statistics& statistics, const Estimate& estimate,
                                      std::int64_t size) {
  const TemporaryFolder folder;
  MappedFile file = MappedFile::create(
      folder.path() / "keys", static_cast<std::size_t>(estimate.usable()) * sizeof(RankKey));
  const std::span<RankKey> keys = file.as<RankKey>();
  std::size_t count = 0;
  each_score(statistics, estimate,
             [&](std::int64_t number, const Record&, const FeatureScore& score) {
               if (score.usable) keys[count++] = RankKey::of(score, number);
             });
  const auto name_of = [&](std::int64_t number) {
    const auto [block, at] = statistics.find(number);
    return block->name(at);
  };
  std::nth_element(keys.begin(), keys.begin() + (size - 1),
                   keys.begin() + static_cast<std::ptrdiff_t>(count),
                   [&](const RankKey& a, const RankKey& b) { return ranks_before(a, b, name_of); });
  std::vector<std::int64_t> result;
  for (const RankKey& key : keys.first(static_cast<std::size_t>(size))) {
    result.push_back(key.number);
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// Independence rule on features chosen by a threshold.
Rule independence_rule(const Statistics& statistics, const Estimate& estimate, RuleKind kind,
                       const FitRequest& request, const FdrThreshold& threshold) {
  const std::int64_t size = request.candidate.features;
  const bool cut = size > 0 && size < estimate.usable();
  std::vector<std::int64_t> first;
  if (cut) first = first_ranks(statistics, estimate, size);
  Rule rule;
  rule.tuning = untuned(request.candidate);
  rule.intercepts =
      intercepts(kind, request.fit.priors.shares(statistics.classes(), statistics.class_samples()));
  RuleTerms terms;
  // Offsets are summed after the features are in order, so that shards give the same bits; here
  // only what is kept is decided.
  each_score(statistics, estimate,
             [&](std::int64_t number, const Record& record, const FeatureScore& score) {
               if (!score.usable) return;
               if (size == Candidate::kFdr && score.zero() > threshold.zero) return;
               if (cut && !std::binary_search(first.begin(), first.end(), number)) return;
               rule_terms(kind, record, score, terms);
               rule.features.push_back(number);
               rule.weights.insert(rule.weights.end(), terms.differences.begin(),
                                   terms.differences.end());
             });
  return rule;
}

Rule rule_from_values(FeatureSource& source, const Statistics& statistics, const Classes& classes,
                      const FitRequest& request) {
  const std::vector<SampleScale> scales = sample_scales(source, statistics.transform());
  const SampleMatrix matrix(source, statistics.transform(), scales);
  std::vector<int> all(classes.of_sample.size());
  std::iota(all.begin(), all.end(), 0);
  Rule rule;
  rule.tuned = request.tune_folds > 0;
  if (rule.tuned) {
    spdlog::info("tuning: {} candidates in {} folds", request.fit.candidates().size(),
                 request.tune_folds);
    rule.tuning = tune(matrix, classes, all, request.fit, request.tune_folds, request.seed);
  } else {
    rule.tuning = untuned(request.candidate);
  }
  const FoldFit fit(matrix, classes, all, request.fit);
  FoldFit::Weights weights = fit.weights(rule.tuning.candidates, rule.tuning.divisors);
  rule.features = std::move(weights.features);
  rule.weights = std::move(weights.weights);
  rule.intercepts = std::move(weights.intercepts);
  return rule;
}

/// Puts the kept features in rank order, which depends on nothing but themselves.
void assemble(const Statistics& statistics, const Rule& rule, bool add_offsets,
              ScreenModel& model) {
  struct Kept {
    std::size_t place;
    RankKey key;
    std::string_view name;
  };
  std::vector<Kept> kept;
  FeatureScorer scorer(model.estimate);
  FeatureScore score;
  for (std::size_t i = 0; i < rule.features.size(); ++i) {
    const auto [block, at] = statistics.find(rule.features[i]);
    scorer.score(block->record(at), score);
    kept.push_back({i, RankKey::of(score, static_cast<std::int64_t>(i)), block->name(at)});
  }
  std::vector<std::string_view> kept_names;
  for (const Kept& one : kept) kept_names.push_back(one.name);
  const auto name_of = [&](std::int64_t i) { return kept_names[static_cast<std::size_t>(i)]; };
  std::sort(kept.begin(), kept.end(),
            [&](const Kept& a, const Kept& b) { return ranks_before(a.key, b.key, name_of); });
  const std::size_t directions = rule.intercepts.size();
  model.intercepts = rule.intercepts;
  RuleTerms terms;
  for (const Kept& one : kept) {
    const auto [block, at] = statistics.find(rule.features[one.place]);
    scorer.score(block->record(at), score);
    rule_terms(model.kind, block->record(at), score, terms);
    model.names.emplace_back(one.name);
    model.centers.push_back(terms.center);
    model.scales.push_back(score.scale);
    for (std::size_t k = 0; k < directions; ++k) {
      const double weight = rule.weights[one.place * directions + k];
      model.weights.push_back(weight);
      model.offsets.push_back(terms.offsets[k]);
      if (add_offsets) model.intercepts[k] -= weight * terms.offsets[k];
      model.effects.push_back(score.directions[k].posterior.effect);
      model.zs.push_back(score.directions[k].z);
      model.zeros.push_back(score.directions[k].posterior.zero);
    }
  }
}

ScreenModel fit_with(const Statistics& statistics, FeatureSource* source, const Classes* classes,
                     const FitRequest& request) {
  check_unique_names(statistics);
  ScreenModel model;
  model.classes = statistics.classes();
  model.class_samples = statistics.class_samples();
  model.kind = model.classes.size() == 2 ? RuleKind::kTwoClasses : request.fit.many_classes;
  model.transform = statistics.transform();
  model.fdr = request.fit.fdr;
  model.priors = request.fit.priors.shares(model.classes, model.class_samples);
  model.estimate = estimate(table_of(statistics), request.fit.estimate, statistics.origin());
  const FdrThreshold threshold = threshold_of(statistics, model.estimate, model.fdr);
  model.selected = threshold.features;
  const Rule rule =
      source ? rule_from_values(*source, statistics, *classes, request)
             : independence_rule(statistics, model.estimate, model.kind, request, threshold);
  model.tuning = rule.tuning;
  model.tuned = rule.tuned;
  assemble(statistics, rule, source == nullptr, model);
  NameFingerprint fingerprint;
  for (const auto& block : statistics.blocks()) {
    for (std::int64_t i = 0; i < block.features; ++i) fingerprint.add(block.name(i));
  }
  model.fingerprint = fingerprint.value();
  if (!request.ranked.empty()) {
    write_ranked_features(statistics, model.estimate, threshold.zero, request.ranked);
  }
  return model;
}

}  // namespace

bool needs_values(const FitRequest& request) {
  return request.tune_folds > 0 || request.candidate.share < 1;
}

ScreenModel fit_model(FeatureSource& source, const FitRequest& request) {
  const Classes classes = classes_of(source.labels(), source.origin());
  if (request.tune_folds > 0) {
    for (std::size_t k = 0; k < classes.names.size(); ++k) {
      if (classes.samples[k] > 1) continue;
      throw InputError(
          "{}: class '{}' has 1 sample; tuning by cross-validation needs two or more (--tune 0 "
          "does "
          "without)",
          source.origin(), classes.names[k]);
    }
  }
  const Transform transform = fit_transform(source, request.transform, {});
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "statistics";
  write_partial(source, classes, transform, {}, request.fit.estimate.threads, path);
  const Statistics statistics({path}, source.origin());
  if (!needs_values(request)) return fit_with(statistics, nullptr, nullptr, request);
  source.rewind();
  return fit_with(statistics, &source, &classes, request);
}

ScreenModel fit_model(const Statistics& statistics, const FitRequest& request) {
  if (needs_values(request)) {
    throw InputError(
        "{}: partial statistics allow the independence rule alone; give --tune 0 and "
        "--correlation 1",
        statistics.origin());
  }
  return fit_with(statistics, nullptr, nullptr, request);
}

}  // namespace limber::screen
