#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "limber/core/config/compress_options.h"
#include "limber/training/compress/network.h"
#include "limber/training/compress/target_search.h"

namespace limber {

/// Where a compression stands between two passes.
struct CompressState {
  std::string phase = "search";  ///< search, admm, retrain or done
  std::int64_t epoch = 0;        ///< passes of the phase that are done
  std::int64_t step = 0;         ///< of all phases
  double share = 1, rho = 0;
  TargetSearch::State search;
  CompressibleNetwork::Quality before, best;  ///< on validation rows
  std::int64_t best_epoch = -1;               ///< of retraining; -1: not projected yet
};

/// A number that is not finite is null.
nlohmann::json to_json(const CompressState& state);
CompressState compress_state_of(const nlohmann::json& json);

/// What must be the same for a checkpoint to be continued: the options that training depends on,
/// the network as it is given, and what it is trained on.
std::string compression_fingerprint(CompressibleNetwork& network, const CompressOptions& options);

}  // namespace limber
