#pragma once

#include <string>
#include <vector>

#include "limber/core/data/popularity.h"
#include "limber/core/data/samplers.h"
#include "limber/training/evaluate/predictions.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// A model's word on the query rows of a part of the data, ready for the metrics.
struct ScoredRows {
  std::vector<std::string> labels;
  std::vector<std::vector<float>> logits, truth;  ///< by label, then row; truth NaN = absent
  std::vector<float> weights;                     ///< of each row; empty: each counts once
  std::vector<std::int64_t> members;              ///< task of each row
  std::vector<std::int64_t> support;              ///< support rows that its task had
  std::vector<std::int64_t> activity;             ///< training rows of its task

  /// The rows that have this label, with it alone.
  ScoredRows of_label(std::size_t label) const;
  /// What the metrics want of the first label, which no row may lack.
  Predictions predictions() const { return {logits[0], truth[0], weights, members}; }
};

/// Scores the rows of `options.part` after adapting with `steps` inner steps. `popularity`, where
/// the model has one, is added to its logits, as serving does. Several processes that hold a model
/// together score batches by turns, and each gets all rows, in the order of one alone.
ScoredRows score_rows(RankingModel& model, const Dataset& dataset,
                      const EvaluationSampler::Options& options, std::int64_t steps,
                      const Popularity* popularity = nullptr);

/// Log loss, AUC and GAUC, averaged over the labels by weight: what early stopping looks at. A
/// label counts where its rows define the metric; NaN where no label does.
struct QuickMetrics {
  double log_loss = 0, auc = 0, gauc = 0;
  std::vector<std::string> absent;  ///< labels that no row has
  /// The value of that name, turned so that higher is better.
  double score(const std::string& name) const;
};
/// `label_weights` [labels], or empty: each label counts once.
QuickMetrics quick_metrics(const ScoredRows& scored, const std::vector<double>& label_weights = {});

}  // namespace limber
