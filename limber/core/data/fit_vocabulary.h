#pragma once

#include <cstdint>
#include <vector>

#include "limber/core/data/encoder.h"
#include "limber/core/data/fit.h"

namespace limber {

/// Chooses the values that an encoder of kind dictionary or perfect_hash knows. `seen` holds all
/// values of the column, those that the encoder has first; `counts` how often each occurs in
/// training rows, by index in `seen`.
///
/// Fit::anew: the values with `min_count` or more, at most `max_values` of them (0: no cap), the
/// most frequent first and those of one count in the order in which they were seen; a perfect hash
/// has an order of its own.
///
/// Fit::grown (dictionary): the encoder's values keep their rows, and new ones with `min_count` or
/// more come behind them, most frequent first, as long as there is room under the cap. Then each
/// takes the row of a value that no training row has, the last rows first: they were the rarest
/// when they came. replaced_rows says which.
///
/// Returns the row of each value in `seen`, 0 for those left out. Throws InputError that names the
/// feature where a perfect hash cannot be made.
std::vector<std::int32_t> fit_vocabulary(FeatureEncoder& encoder, const Vocabulary& seen,
                                         const std::vector<std::int64_t>& counts, Fit fit,
                                         std::int64_t min_count, std::int64_t max_values);

/// Turns a dictionary into a perfect hash with the encoder's `fingerprint_bits`; its vocabulary
/// then has the order of the hash's numbers. Returns the earlier row of each row, 0 for row 0, so
/// that tables can follow. Throws InputError that names the feature.
std::vector<std::int32_t> number_by_perfect_hash(FeatureEncoder& encoder);

/// Rows that both encoders of one feature have, but for another value each: Fit::grown gave them
/// away in between, and what a model has learned of them is of no use. Ascending.
std::vector<std::int32_t> replaced_rows(const FeatureEncoder& before, const FeatureEncoder& after);

}  // namespace limber
