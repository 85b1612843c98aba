#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/core/data/encoder.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// Dictionaries that have become perfect hashes.
struct HashedVocabularies {
  std::vector<FeatureEncoder> encoders;  ///< all of the model's, those without a dictionary as was
  /// By embedding table: which row of the model before each row is. Row 0 stays.
  std::map<std::string, std::vector<std::int64_t>> rows_before;
};

/// Numbers the values of every dictionary by a minimal perfect hash with the
/// features.NAME.fingerprint_bits of `config`; no value is stored any more. Throws InputError that
/// names the feature where two values cannot be told apart.
HashedVocabularies hash_vocabularies(const Config& config,
                                     const std::vector<FeatureEncoder>& encoders);

/// Puts the rows of the model's embedding tables where the hashes look for them; the model gets
/// tables of its own.
void move_rows(RankingModel& model, const HashedVocabularies& hashed);

}  // namespace limber
