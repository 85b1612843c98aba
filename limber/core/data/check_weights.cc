#include "limber/core/data/check_weights.h"

#include <algorithm>

#include "limber/core/base/error.h"
#include "limber/core/data/samplers.h"

namespace limber {

void check_part_weights(const Dataset& dataset, Part part, std::int64_t support_limit) {
  if (dataset.weights.size() == 0) return;
  EvaluationSampler::Options options;
  options.part = part;
  options.support = options.support_limit = support_limit;
  const EvaluationSampler sampler(dataset, options);
  if (sampler.query_rows() == 0) return;
  for (std::int64_t i = 0; i < sampler.batches(); ++i) {
    const EpisodePlan plan = sampler.plan(i);
    if (std::ranges::any_of(plan.query,
                            [&](std::int64_t row) { return dataset.weight(row) > 0; })) {
      return;
    }
  }
  const bool validation = part == Part::validation;
  throw InputError(
      "data.weight: the weight is 0 in every {} row, so nothing can be measured on them; raise "
      "data.{}_share, split otherwise (data.split), or weigh them",
      validation ? "validation" : "test", validation ? "validation" : "test");
}

}  // namespace limber
