#include "limber/serving/rows/rank_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"

namespace limber {

std::size_t label_index(const RuntimeModel& model, std::string_view label) {
  const auto& labels = model.layout.labels;
  const auto found = std::find(labels.begin(), labels.end(), label);
  if (found == labels.end()) {
    throw InputError("the model has no label '{}'{}", label,
                     did_you_mean(std::string(label), labels));
  }
  return static_cast<std::size_t>(found - labels.begin());
}

RankBy rank_by(const RuntimeModel& model, std::string_view label) {
  if (!label.empty()) return label_index(model, label);
  return model.score_weights.empty() ? RankBy(0) : std::nullopt;
}

std::vector<RankedCandidate> rank_rows(const ServedModel& model, Workbench& bench,
                                       const MemberVector& member, const LatestValues& sequences,
                                       RankBy by, std::size_t limit, double explore) {
  bench.candidates.set_sequences(sequences);
  const RowSet& rows = bench.candidates.set();
  const auto count = static_cast<std::size_t>(rows.rows);
  const std::size_t labels = model.schema().labels().size();
  bench.logits.resize(count * labels);
  if (explore > 0 && model.runtime().last_layers) {
    model.runtime().last_layers->draw(bench.random, static_cast<float>(explore), bench.drawn);
    const LastLayerView drawn = bench.drawn.view();
    bench.scorer.score(member, rows, bench.logits, &drawn);
  } else {
    bench.scorer.score(member, rows, bench.logits);
  }

  const auto probability = [&](std::size_t i, std::size_t label) {
    return 1.0F / (1.0F + std::exp(-bench.logits[i * labels + label]));
  };
  // By one label, logits: probabilities near 1 round to the same number.
  std::vector<float> merits(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (by) {
      merits[i] = bench.logits[i * labels + *by];
      continue;
    }
    for (std::size_t l = 0; l < labels; ++l) {
      const float weight = model.runtime().score_weights[l];
      if (weight != 0) merits[i] += weight * probability(i, l);
    }
  }
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  const std::size_t kept = limit == 0 ? count : std::min(limit, count);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return merits[a] != merits[b] ? merits[a] > merits[b] : a < b;
                    });
  order.resize(kept);
  std::vector<RankedCandidate> ranking;
  ranking.reserve(kept);
  for (const std::size_t i : order) {
    RankedCandidate& candidate = ranking.emplace_back();
    candidate.index = i;
    for (std::size_t l = 0; l < labels; ++l) {
      candidate.scores.push_back(probability(i, l));
    }
    candidate.score = by ? candidate.scores[*by] : merits[i];
  }
  return ranking;
}

}  // namespace limber
