#include "limber/training/train/label_weights.h"

#include <algorithm>
#include <vector>

#include "limber/core/base/error.h"

namespace limber {

torch::Tensor label_weights(const TrainOptions& options, const RankingModel& model) {
  if (options.label_weights.empty()) return {};
  std::vector<double> weights;
  for (const std::string& label : model->layout.labels) {
    const auto given = options.label_weights.find(label);
    weights.push_back(given == options.label_weights.end() ? 1.0 : given->second);
  }
  if (*std::max_element(weights.begin(), weights.end()) <= 0) {
    throw InputError("train.label_weights: all are 0; nothing can be learned");
  }
  return torch::tensor(weights, torch::kDouble).to(model->tensor);
}

}  // namespace limber
