#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "limber/core/data/ads_block.h"

namespace limber {

struct AdsGeneratorOptions {
  std::int64_t rows = 100000;   ///< impressions, at least 1
  std::int64_t members = 2000;  ///< at least 1
  double rate = 0.2;            ///< share of impressions that are clicked, about
  std::uint64_t seed = 1;
  std::string format = "parquet";  ///< or "csv"
  bool with_truth = false;         ///< also the column true_probability
};

/// A synthetic log of ad impressions in the shape of the Criteo logs: 13 counts, log-normal and in
/// part missing, and 26 ids with 12 to a million values whose frequencies follow power laws. The
/// probability of a click is known; AdsTruth states it. Its bias is chosen so that `rate` of the
/// impressions are clicked.
///
///     interactions  member_id, timestamp (seconds since 1970, rising with every row), device,
///                   category, id_02 ... id_26, number_01 ... number_13, clicked
///                   and, where asked for, true_probability
///
/// The same options give the same bytes, however many cores there are.
class AdsGenerator {
 public:
  /// Throws InputError for sizes below 1, a rate that is not between 0.001 and 0.999, and an
  /// unknown format.
  explicit AdsGenerator(const AdsGeneratorOptions& options);

  /// The bias of the true logit.
  double bias() const { return bias_; }

  /// Writes the interactions into `folder`, which is created. Rows are streamed: memory holds two
  /// blocks and a byte for each member and category. Throws Error when it cannot be written.
  void write(const std::filesystem::path& folder) const;

 private:
  double fitted_bias() const;

  AdsGeneratorOptions options_;
  AdsBlocks blocks_;
  double bias_;
};

}  // namespace limber
