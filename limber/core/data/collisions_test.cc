#include "limber/core/data/collisions.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "limber/core/base/random.h"

namespace limber {
namespace {

TEST(DistinctHashes, AreThoseThatWereAdded) {
  DistinctHashes distinct;
  std::set<std::uint64_t> expected;
  Random random(1);
  for (int i = 0; i < 400'000; ++i) {
    const std::uint64_t hash = mix64(random.below(150'000));
    distinct.add(hash);
    expected.insert(hash);
  }
  EXPECT_EQ(distinct.take(), std::vector<std::uint64_t>(expected.begin(), expected.end()));
  EXPECT_TRUE(distinct.take().empty());
}

/// By a map from rows to values.
Collisions count_by_map(const FeatureEncoder& encoder, const std::vector<std::uint64_t>& hashes) {
  std::map<std::vector<std::int32_t>, std::int64_t> values;
  std::set<std::int32_t> used;
  for (const std::uint64_t hash : hashes) {
    std::vector<std::int32_t> rows;
    encoder.append_rows_of_hash(hash, rows);
    used.insert(rows.begin(), rows.end());
    ++values[rows];
  }
  Collisions found{static_cast<std::int64_t>(hashes.size()), 0,
                   static_cast<std::int64_t>(used.size())};
  for (const auto& [rows, count] : values) found.sharing += count > 1 ? count : 0;
  return found;
}

TEST(CountCollisions, AgreesWithAMap) {
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 500; ++i) hashes.push_back(mix64(i));
  FeatureEncoder hash;
  hash.kind = FeatureKind::id;
  hash.vocabulary_kind = "hash";
  hash.hash_size = 800;
  FeatureEncoder qr = hash;
  qr.vocabulary_kind = "qr";
  qr.quotient_remainder = {7, 3};
  for (const FeatureEncoder& encoder : {hash, qr}) {
    const Collisions found = count_collisions(encoder, hashes);
    const Collisions expected = count_by_map(encoder, hashes);
    EXPECT_EQ(found.values, 500);
    EXPECT_EQ(found.sharing, expected.sharing);
    EXPECT_EQ(found.rows, expected.rows);
    EXPECT_GT(found.sharing, 100);
    EXPECT_LT(found.sharing, 500);
  }
  // All rows of the small tables are used, and row 0 by none.
  EXPECT_EQ(count_collisions(qr, hashes).rows, 20);
  EXPECT_EQ(count_collisions(qr, {}).values, 0);
}

}  // namespace
}  // namespace limber
