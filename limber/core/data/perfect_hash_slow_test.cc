// What ten million ids cost, without a vocabulary and with four rows each.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "limber/core/data/column.h"
#include "limber/core/data/perfect_hash.h"
#include "limber/core/data/quotient_remainder.h"
#include "limber/core/data/vocabulary.h"

namespace limber {
namespace {

constexpr std::int64_t kIds = 10'000'000;

std::vector<std::uint64_t> hashes_of_ids(std::int64_t first) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(kIds);
  for (std::int64_t i = 0; i < kIds; ++i) {
    const std::string text = fmt::format("member:{}", first + i);
    hashes.push_back(hash_key(Key{false, 0, text}));
  }
  return hashes;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(VocabularySlow, TenMillionIdsHaveANumberEach) {
  const auto hashes = hashes_of_ids(0);
  const auto start = std::chrono::steady_clock::now();
  const PerfectHash built = PerfectHash::build(hashes, 16);
  const double seconds = seconds_since(start);
  const std::string bytes = built.to_bytes();
  const PerfectHash read = PerfectHash::from_bytes(bytes, "ids.hash");
  ASSERT_EQ(read.size(), kIds + 1);
  std::vector<bool> taken(kIds + 1);
  const auto finding = std::chrono::steady_clock::now();
  for (const std::uint64_t hash : hashes) {
    const std::int32_t number = read.find(hash);
    ASSERT_GT(number, 0);
    ASSERT_LE(number, kIds);
    ASSERT_FALSE(taken[static_cast<std::size_t>(number)]);
    taken[static_cast<std::size_t>(number)] = true;
  }
  const double found = seconds_since(finding);
  std::int64_t known = 0;
  for (const std::uint64_t hash : hashes_of_ids(kIds)) known += read.find(hash) != 0;
  // 152.6 on average; six deviations of about 12.4.
  EXPECT_NEAR(static_cast<double>(known), static_cast<double>(kIds) / 65536, 75);
  EXPECT_LE(read.function_bytes(), 4 * kIds);
  EXPECT_LE(static_cast<std::int64_t>(bytes.size()), 4 * kIds);
  fmt::print(
      "perfect hash of {} ids: {:.3f} bytes an id, {:.3f} of them the function; built in {:.1f} s, "
      "{:.0f} ns a look-up; {} of as many other ids are taken for known ones\n",
      kIds, static_cast<double>(bytes.size()) / kIds,
      static_cast<double>(read.function_bytes()) / kIds, seconds, found * 1e9 / kIds, known);
}

TEST(VocabularySlow, TenMillionIdsHaveFourRowsEach) {
  // 2^32 pairs of rows for each half of the hash, as many as it has values.
  const QuotientRemainder rows{1 << 22, 1 << 10};
  std::vector<std::uint64_t> pairs;
  pairs.reserve(kIds);
  for (const std::uint64_t hash : hashes_of_ids(0)) {
    const auto four = rows.rows_of(hash);
    for (std::size_t half = 0; half < 2; ++half) {
      const std::int64_t quotient =
          four[2 * half] - 1 - static_cast<std::int64_t>(half) * (rows.quotients + rows.remainders);
      const std::int64_t remainder =
          four[2 * half + 1] - 1 - rows.quotients -
          static_cast<std::int64_t>(half) * (rows.quotients + rows.remainders);
      ASSERT_TRUE(quotient >= 0 && quotient < rows.quotients);
      ASSERT_TRUE(remainder >= 0 && remainder < rows.remainders);
      // The rows say which half it was.
      const auto back = static_cast<std::uint64_t>(quotient * rows.remainders + remainder);
      ASSERT_EQ(back, half == 0 ? hash >> 32 : hash & 0xFFFFFFFF);
    }
    pairs.push_back(hash);
  }
  std::sort(pairs.begin(), pairs.end());
  EXPECT_EQ(std::adjacent_find(pairs.begin(), pairs.end()), pairs.end());
  fmt::print(
      "quotient-remainder rows of {} ids: {} rows, {:.3f} of a row an id, 0 bytes of "
      "vocabulary\n",
      kIds, rows.rows(), static_cast<double>(rows.rows()) / kIds);
}

}  // namespace
}  // namespace limber
