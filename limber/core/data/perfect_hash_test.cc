#include "limber/core/data/perfect_hash.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

std::vector<std::uint64_t> some_hashes(std::uint64_t count, std::uint64_t seed = 0) {
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < count; ++i) hashes.push_back(mix64((seed << 40) + i));
  return hashes;
}

/// Every value has a number of its own from 1 to their count.
void expect_numbers(const PerfectHash& hash, const std::vector<std::uint64_t>& values) {
  ASSERT_EQ(hash.size(), static_cast<std::int64_t>(values.size()) + 1);
  std::vector<bool> taken(values.size() + 1);
  for (const std::uint64_t value : values) {
    const std::int32_t number = hash.find(value);
    ASSERT_GE(number, 1);
    ASSERT_LT(number, hash.size());
    ASSERT_FALSE(taken[static_cast<std::size_t>(number)]) << number;
    taken[static_cast<std::size_t>(number)] = true;
  }
}

std::string refusal(const std::string& bytes) {
  try {
    PerfectHash::from_bytes(bytes, "item.hash");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(PerfectHash, NumbersSetsOfEverySize) {
  for (const std::uint64_t count :
       {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 16U, 17U, 100U, 1000U, 100'000U}) {
    const auto values = some_hashes(count, count);
    const PerfectHash hash = PerfectHash::build(values, 16);
    expect_numbers(hash, values);
    const PerfectHash read = PerfectHash::from_bytes(hash.to_bytes(), "item.hash");
    EXPECT_EQ(read.fingerprint_bits(), 16);
    EXPECT_EQ(read.function_bytes(), hash.function_bytes());
    EXPECT_EQ(read.fingerprint_bytes(), hash.fingerprint_bytes());
    for (const std::uint64_t value : values) ASSERT_EQ(read.find(value), hash.find(value));
    for (const std::uint64_t other : some_hashes(1000, 99)) {
      ASSERT_EQ(read.find(other), hash.find(other));
    }
    EXPECT_EQ(read.to_bytes(), hash.to_bytes());
    if (count < 1000) continue;
    const double each = 1.0 / static_cast<double>(count);
    fmt::print("{} values: {:.3f} bytes a value, {:.3f} of them the function\n", count,
               static_cast<double>(hash.to_bytes().size()) * each,
               static_cast<double>(hash.function_bytes()) * each);
    EXPECT_LT(static_cast<double>(hash.function_bytes()) * each, 0.4);
  }
}

TEST(PerfectHash, ManyTinySets) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const auto values = some_hashes(1 + seed % 12, seed);
    ASSERT_NO_FATAL_FAILURE(expect_numbers(PerfectHash::build(values, 8), values)) << seed;
  }
}

TEST(PerfectHash, TheSameValuesGetTheSameNumbers) {
  const auto values = some_hashes(500);
  const std::string first = PerfectHash::build(values, 12).to_bytes();
  std::srand(12345);
  EXPECT_EQ(PerfectHash::build(values, 12).to_bytes(), first);
}

TEST(PerfectHash, OtherValuesAreUnknownButForTheShareOfTheBits) {
  const auto values = some_hashes(20'000);
  constexpr std::uint64_t kOthers = 200'000;
  const auto others = some_hashes(kOthers, 7);
  for (const std::int64_t bits : {1, 3, 8, 11, 32}) {
    const PerfectHash hash = PerfectHash::build(values, bits);
    expect_numbers(hash, values);
    double known = 0;
    for (const std::uint64_t other : others) known += hash.find(other) != PerfectHash::unknown;
    const double share = std::exp2(-static_cast<double>(bits));
    const double expected = share * kOthers;
    EXPECT_NEAR(known, expected, 5 * std::sqrt(expected * (1 - share)) + 1) << bits << " bits";
    EXPECT_NEAR(static_cast<double>(hash.fingerprint_bytes()),
                20'000 * static_cast<double>(bits) / 8, 8);
  }
}

TEST(PerfectHash, SaysWhatItCannotNumber) {
  auto values = some_hashes(100);
  values.push_back(values[3]);
  EXPECT_THROW(PerfectHash::build(values, 16), InputError);
  EXPECT_THROW(PerfectHash::build({}, 16), InputError);
  EXPECT_THROW(PerfectHash::build(some_hashes(5), 0), InputError);
  EXPECT_THROW(PerfectHash::build(some_hashes(5), 33), InputError);
}

TEST(PerfectHash, RefusesBytesThatItCannotHaveMade) {
  const std::string good = PerfectHash::build(some_hashes(300), 13).to_bytes();
  ASSERT_EQ(refusal(good), "");
  EXPECT_NE(refusal("").find("item.hash: "), std::string::npos);
  EXPECT_NE(refusal(std::string(good).replace(0, 1, "M")).find("it is no perfect hash"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(good).replace(8, 1, "\x02")).find("newer Limber"),
            std::string::npos);
  for (std::size_t length = 0; length < good.size(); ++length) {
    ASSERT_NE(refusal(good.substr(0, length)), "") << length;
  }
  EXPECT_NE(refusal(good + "x"), "");
  EXPECT_NE(refusal(good + std::string(8, 'x')), "");
  // Fingerprint bits, values and bytes of the function in the header; then the function's own
  // sizes: algorithm, hash, vertices and ranks.
  for (const std::size_t at :
       {12U, 16U, 19U, 20U, 23U, 32U, 36U, 39U, 40U, 44U, 52U, 53U, 55U, 56U, 59U}) {
    for (const char change : {'\x01', '\x10', '\x7F'}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ change);
      EXPECT_NE(refusal(bad), "") << at;
    }
  }
}

/// What no length gives away is the checksum's to find; but a search stays inside the function, and
/// a number inside the table.
TEST(PerfectHash, DamageNeverReachesOutside) {
  const auto values = some_hashes(50);
  const std::string good = PerfectHash::build(values, 5).to_bytes();
  Random random(3);
  int accepted = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      bad[random.below(bad.size())] = static_cast<char>(random.below(256));
    }
    if (!refusal(bad).empty()) continue;
    ++accepted;
    const PerfectHash hash = PerfectHash::from_bytes(bad, "item.hash");
    for (const std::uint64_t value : values) {
      ASSERT_GE(hash.find(value), 0);
      ASSERT_LT(hash.find(value), hash.size());
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 4500);
}

}  // namespace
}  // namespace limber
