#include "limber/serving/rows/rank_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"

namespace limber {

std::size_t label_index(const RuntimeModel& model, std::string_view label) {
  if (label.empty()) return 0;
  const auto& labels = model.layout.labels;
  const auto found = std::find(labels.begin(), labels.end(), label);
  if (found == labels.end()) {
    throw InputError("the model has no label '{}'{}", label,
                     did_you_mean(std::string(label), labels));
  }
  return static_cast<std::size_t>(found - labels.begin());
}

std::vector<RankedCandidate> rank_rows(const ServedModel& model, Workbench& bench,
                                       const MemberVector& member, const LatestValues& sequences,
                                       std::size_t label, std::size_t limit) {
  bench.candidates.set_sequences(sequences);
  const RowSet& rows = bench.candidates.set();
  const auto count = static_cast<std::size_t>(rows.rows);
  const std::size_t labels = model.schema().labels().size();
  bench.logits.resize(count * labels);
  bench.scorer.score(member, rows, bench.logits);

  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [&](std::size_t i) { return bench.logits[i * labels + label]; };
  const std::size_t kept = limit == 0 ? count : std::min(limit, count);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
                    });
  order.resize(kept);
  std::vector<RankedCandidate> ranking;
  ranking.reserve(kept);
  for (const std::size_t i : order) {
    RankedCandidate& candidate = ranking.emplace_back();
    candidate.index = i;
    for (std::size_t l = 0; l < labels; ++l) {
      candidate.scores.push_back(1.0F / (1.0F + std::exp(-bench.logits[i * labels + l])));
    }
    candidate.score = candidate.scores[label];
  }
  return ranking;
}

}  // namespace limber
