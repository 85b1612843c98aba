#include "limber/training/compress/hashed_vocabularies.h"

#include <algorithm>
#include <memory>

#include "limber/core/base/error.h"

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
    std::vector<std::uint64_t> hashes;
    for (std::int32_t index = 1; index < before.vocabulary->size(); ++index) {
      hashes.push_back(hash_key(before.vocabulary->key(index)));
    }
    encoder.fingerprint_bits = fingerprint_bits(config, before.name);
    std::shared_ptr<const PerfectHash> hash;
    try {
      hash =
          std::make_shared<const PerfectHash>(PerfectHash::build(hashes, encoder.fingerprint_bits));
    } catch (const InputError& error) {
      throw InputError("features.{}: {}", before.name, error.what());
    }
    std::vector<std::int64_t>& rows = hashed.rows_before[before.name];
    rows.assign(hashes.size() + 1, 0);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      rows[static_cast<std::size_t>(hash->find(hashes[i]))] = static_cast<std::int64_t>(i) + 1;
    }
    encoder.vocabulary_kind = "perfect_hash";
    encoder.perfect_hash = std::move(hash);
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
