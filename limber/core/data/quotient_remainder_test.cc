#include "limber/core/data/quotient_remainder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "limber/core/base/random.h"

namespace limber {
namespace {

constexpr std::uint64_t kLargest = ~std::uint64_t{0};

/// The rows by exact fractions: half / 2^32 of the way through all pairs, in long division.
std::array<std::int32_t, 4> rows_by_hand(const QuotientRemainder& rows, std::uint64_t hash) {
  const auto scaled = [&](std::uint32_t half) {
    const long double way = static_cast<long double>(half) / 4294967296.0L;
    return static_cast<std::int64_t>(
        std::floor(way * static_cast<long double>(rows.quotients * rows.remainders)));
  };
  const std::int64_t b = scaled(static_cast<std::uint32_t>(hash >> 32));
  const std::int64_t c = scaled(static_cast<std::uint32_t>(hash));
  const std::int64_t second = 1 + rows.quotients + rows.remainders;
  return {static_cast<std::int32_t>(1 + b / rows.remainders),
          static_cast<std::int32_t>(1 + rows.quotients + b % rows.remainders),
          static_cast<std::int32_t>(second + c / rows.remainders),
          static_cast<std::int32_t>(second + rows.quotients + c % rows.remainders)};
}

TEST(QuotientRemainder, AgreesWithExactFractions) {
  Random random(5);
  for (const QuotientRemainder rows : {QuotientRemainder{2, 2},
                                       {7, 3},
                                       {3, 7},
                                       {1000, 1000},
                                       {1 << 22, 1 << 10},
                                       {65536, 65536}}) {
    for (int i = 0; i < 2000; ++i) {
      const std::uint64_t hash = i == 0 ? 0 : i == 1 ? kLargest : random.next();
      ASSERT_EQ(rows.rows_of(hash), rows_by_hand(rows, hash)) << hash;
    }
  }
}

TEST(QuotientRemainder, EachTableHasItsOwnRows) {
  for (const QuotientRemainder rows : {QuotientRemainder{5, 3}, {2, 9}, {268435456, 16}}) {
    const auto quotients = static_cast<std::int32_t>(rows.quotients);
    const auto remainders = static_cast<std::int32_t>(rows.remainders);
    // The first and the last row of each table are those of the smallest and largest halves.
    EXPECT_EQ(rows.rows_of(0),
              (std::array<std::int32_t, 4>{1, 1 + quotients, 1 + quotients + remainders,
                                           1 + 2 * quotients + remainders}));
    EXPECT_EQ(
        rows.rows_of(kLargest),
        (std::array<std::int32_t, 4>{quotients, quotients + remainders, 2 * quotients + remainders,
                                     2 * quotients + 2 * remainders}));
    EXPECT_EQ(rows.rows(), 1 + 2 * (std::int64_t{quotients} + remainders));
  }
}

TEST(QuotientRemainder, HalvesAreUnsignedAndApart) {
  const QuotientRemainder rows{1000, 1000};
  // A half from 2^31 on is a large number, not a negative one.
  EXPECT_EQ(rows.rows_of(0x8000000000000000ULL)[0], 501);
  EXPECT_EQ(rows.rows_of(0x0000000080000000ULL)[2], 1 + 2000 + 500);
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t first = random.next(), second = random.next();
    const auto whole = rows.rows_of((first & 0xFFFFFFFF00000000ULL) | (second & 0xFFFFFFFFULL));
    EXPECT_EQ(whole[0], rows.rows_of(first)[0]);
    EXPECT_EQ(whole[1], rows.rows_of(first)[1]);
    EXPECT_EQ(whole[2], rows.rows_of(second)[2]);
    EXPECT_EQ(whole[3], rows.rows_of(second)[3]);
  }
}

TEST(QuotientRemainder, RowsAreUsedAlike) {
  const QuotientRemainder rows{6, 5};
  std::vector<double> counts(static_cast<std::size_t>(rows.rows()));
  constexpr int kHashes = 60'000;
  for (std::uint64_t i = 0; i < kHashes; ++i) {
    for (const std::int32_t row : rows.rows_of(mix64(i))) ++counts[static_cast<std::size_t>(row)];
  }
  EXPECT_EQ(counts[0], 0);
  for (std::size_t row = 1; row < counts.size(); ++row) {
    const bool quotient = (row - 1) % 11 < 6;
    const double share = 1.0 / static_cast<double>(quotient ? rows.quotients : rows.remainders);
    EXPECT_NEAR(counts[row], kHashes * share, 6 * std::sqrt(kHashes * share)) << row;
  }
}

}  // namespace
}  // namespace limber
