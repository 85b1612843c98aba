#include "limber/core/data/member_shard.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/base/error.h"

namespace limber {
namespace {

TEST(MemberShard, EachMemberIsInOneShard) {
  constexpr std::int64_t kShards = 7, kMembers = 20000;
  std::vector<std::int64_t> counts(kShards, 0);
  for (std::int64_t member = 0; member < kMembers; ++member) {
    const std::string text = (member % 2 == 0 ? "" : "member-") + std::to_string(member);
    std::int64_t in = 0;
    for (std::int64_t i = 1; i <= kShards; ++i) {
      const bool has = MemberShard{i, kShards}.has(key_of(text));
      in += has;
      counts[static_cast<std::size_t>(i - 1)] += has;
    }
    EXPECT_EQ(in, 1) << text;
    EXPECT_TRUE((MemberShard{1, 1}).has(key_of(text)));
  }
  // Within five deviations of a fair draw.
  constexpr double share = static_cast<double>(kMembers) / kShards;
  for (const std::int64_t count : counts) {
    EXPECT_NEAR(static_cast<double>(count), share, 5 * std::sqrt(share));
  }
}

TEST(MemberShard, ANumberIsItsSpelling) {
  for (std::int64_t i = 1; i <= 3; ++i) {
    Key number;
    number.is_number = true;
    number.number = 1234;
    EXPECT_EQ((MemberShard{i, 3}).has(number), (MemberShard{i, 3}).has(key_of("1234")));
  }
}

TEST(MemberShard, Text) {
  const MemberShard shard = parse_member_shard("3/8", "--shard");
  EXPECT_EQ(shard.index, 3);
  EXPECT_EQ(shard.count, 8);
  for (const char* bad : {"", "3", "/", "0/8", "9/8", "3/0", "-1/8", "3/8x", "a/b", "3/8/2", " 3/8",
                          "1/99999999999999999999", "1/1000001"}) {
    EXPECT_THROW(parse_member_shard(bad, "--shard"), InputError) << bad;
  }
}

}  // namespace
}  // namespace limber
