#include "limber/training/compress/hashed_vocabularies.h"

#include "limber/core/data/fit_vocabulary.h"

namespace limber {
namespace {

std::int64_t fingerprint_bits(const Config& config, const std::string& feature) {
  for (const FeatureOptions& options : config.features) {
    if (options.name == feature) return options.fingerprint_bits;
  }
  return FeatureOptions().fingerprint_bits;
}

}  // namespace

HashedVocabularies hash_vocabularies(const Config& config,
                                     const std::vector<FeatureEncoder>& encoders) {
  HashedVocabularies hashed;
  for (const FeatureEncoder& before : encoders) {
    FeatureEncoder& encoder = hashed.encoders.emplace_back(before);
    // A dictionary that knows no value has nothing to hash, and takes no bytes either.
    if (before.vocabulary_kind != "dictionary" || !before.vocabulary ||
        before.vocabulary->size() <= 1) {
      continue;
    }
    encoder.fingerprint_bits = fingerprint_bits(config, before.name);
    const std::vector<std::int32_t> earlier = number_by_perfect_hash(encoder);
    hashed.rows_before[before.name].assign(earlier.begin(), earlier.end());
    encoder.vocabulary.reset();
  }
  return hashed;
}

void move_rows(RankingModel& model, const HashedVocabularies& hashed) {
  auto& tables = model->tables.weights();
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto rows = hashed.rows_before.find(model->tables.shapes()[t].name);
    if (rows == hashed.rows_before.end()) continue;
    tables[t] =
        tables[t].index_select(0, torch::tensor(rows->second, torch::kLong).to(tables[t].device()));
  }
}

}  // namespace limber
