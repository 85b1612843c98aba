#pragma once

#include <array>
#include <cstdint>

namespace limber {

/// Quotient-remainder rows of an id that has no vocabulary (Shi et al. 2020, arXiv 1909.02107;
/// LiRank, arXiv 2402.06859, section on vocabulary compression). The 64-bit hash of the id is two
/// independent unsigned 32-bit halves B and C. Each half is scaled to a whole number below
/// quotients x remainders, which is then divided by `remainders`: the quotient picks a row of that
/// half's quotient table, the remainder one of its remainder table. The id's vector is made of
/// these four rows.
///
/// All four tables lie in one embedding table: row 0 is that of what is missing, then the quotients
/// and the remainders of B, then those of C.
struct QuotientRemainder {
  std::int64_t quotients = 0, remainders = 0;

  /// Rows of the embedding table, row 0 included.
  std::int64_t rows() const { return 1 + 2 * (quotients + remainders); }
  /// The four rows of a value with this hash (hash_key).
  std::array<std::int32_t, 4> rows_of(std::uint64_t hash) const;
};

/// How many values of a column share what should be theirs alone: their row of a hashed table, or
/// all four rows of a quotient-remainder table.
struct Collisions {
  std::int64_t values = 0;   ///< distinct values seen
  std::int64_t sharing = 0;  ///< of these, how many share their rows with another value
  std::int64_t rows = 0;     ///< rows of the table that some value uses
};

}  // namespace limber
