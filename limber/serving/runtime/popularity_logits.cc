#include "limber/serving/runtime/popularity_logits.h"

namespace limber {

void add_popularity(const Popularity& popularity, const InputLayout& layout, const RowSet& rows,
                    std::span<float> logits) {
  const auto source = static_cast<std::size_t>(layout.features[popularity.feature].source);
  const SourceChoice& choice = rows.sources[source];
  const std::int64_t labels = popularity.labels;
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const std::int64_t chosen = choice.rows[static_cast<std::size_t>(i)];
    const SourceRows& from = chosen >= 0 ? *choice.resident : *choice.extra;
    const float* effects = popularity.of(
        from.features[popularity.feature].indices[chosen >= 0 ? chosen : -1 - chosen]);
    float* sums = logits.data() + i * labels;
    for (std::int64_t l = 0; l < labels; ++l) sums[l] += effects[l];
  }
}

}  // namespace limber
