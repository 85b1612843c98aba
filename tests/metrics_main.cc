// metrics_main [CUTOFF [BINS]]: reads "group label logit [weight]" lines on standard input and
// prints their metrics as JSON, for metrics_sklearn_test.py to compare.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/metrics_json.h"
#include "limber/training/evaluate/ranking_metrics.h"

int main(int argc, char** argv) {
  try {
    limber::MetricOptions options;
    if (argc > 1) options.ndcg_cutoff = std::stoul(argv[1]);
    if (argc > 2) {
      options.calibration_bins = std::stoul(argv[2]);
      options.binning = limber::Binning::equal_width;
    }
    std::vector<std::int64_t> groups;
    std::vector<float> labels, logits, weights;
    std::string line;
    while (std::getline(std::cin, line)) {
      std::istringstream fields(line);
      std::int64_t group = 0;
      float label = 0;
      float logit = 0;
      float weight = 1;
      if (!(fields >> group >> label >> logit)) {
        throw limber::InputError("line {}: \"{}\" is not: group label logit [weight]",
                                 labels.size() + 1, line);
      }
      fields >> weight;
      groups.push_back(group);
      labels.push_back(label);
      logits.push_back(logit);
      weights.push_back(fields.fail() ? 1.0F : weight);
    }
    const limber::Predictions predictions{logits, labels, weights, groups};
    fmt::print("{}\n", limber::metrics_to_json(evaluate_predictions(predictions, options)).dump());
  } catch (const limber::InputError& error) {
    fmt::print(stderr, "metrics_main: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "metrics_main: {}\n", error.what());
    return 1;
  }
}
