#pragma once

#include <memory>

#include "bench/synthetic_data.h"
#include "limber/core/config/options.h"

namespace limber {

/// A model and data to measure it on.
struct Workload {
  Config config;
  std::unique_ptr<SyntheticData> data;
  const Dataset* dataset = nullptr;
};

/// The shapes of a film recommender: an item id, genres, a year, three small ids of the member;
/// 37 input columns. Meta block 64-64-16, two full cross layers, hidden layers 128-64.
Workload films(bool personalised);

/// The shapes of an advertising ranker: 13 numbers and 26 ids with vocabularies of 1e3 to 1e6,
/// embedded in 16; 429 input columns. Two full cross layers, hidden layers 400-400-400.
Workload advertisements();

}  // namespace limber
