#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/train_verbs.h"
#include "limber/training/compress/compress_network.h"
#include "limber/training/compress/compressed_publish.h"

namespace limber {

/// What compressing a model has saved and cost.
struct CompressionOutcome {
  std::string from, to;  ///< folders of the versions
  CompressionResult result;
  PartSizes sizes_before, sizes_after;
  TestReport test_before, test_after;
  std::size_t resamples = 200;
  double seconds = 0;
};

/// {"from": ..., "seconds": ..., "weights": {"before", "after", "ratio"}, "layers": [{"name",
/// "groups", "kept", "bits", "scale"}], "validation": {...}, "labels": {L: {"before": metrics,
/// "difference": metrics}}}: what is known before the model is published. Differences are the
/// compressed model minus the one before, paired by member.
nlohmann::json compression_json(const CompressionOutcome& outcome);

/// {"tables": {"before", "after", "ratio"}, "vocabularies", "dense", "whole"}, in bytes of files.
nlohmann::json sizes_json(const CompressionOutcome& outcome);

/// The table that `limber compress` prints, from the two above joined under "compression" with
/// "sizes" in it, beside what the test of the compressed model says.
std::string compression_table(const nlohmann::json& metrics);

/// The weights that can be compressed: name, shape, and what can be done with them.
std::string weights_table(const std::vector<CompressibleWeight>& weights);

}  // namespace limber
