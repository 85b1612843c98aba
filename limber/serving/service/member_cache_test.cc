#include "limber/serving/service/member_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace limber {
namespace {

std::shared_ptr<const MemberEntry> entry_of(std::uint64_t model, std::int64_t sequence) {
  auto entry = std::make_shared<MemberEntry>();
  entry->model = model;
  entry->sequence = sequence;
  return entry;
}

TEST(MemberCache, KeepsTheNewerEntryOfAModelAndAnyOfAnother) {
  MemberCache cache(16);
  EXPECT_EQ(cache.find("ann", 1), nullptr);
  cache.put("ann", entry_of(1, 5));
  cache.put("ann", entry_of(1, 3));
  ASSERT_NE(cache.find("ann", 1), nullptr);
  EXPECT_EQ(cache.find("ann", 1)->sequence, 5);
  const auto same = entry_of(1, 5);
  cache.put("ann", same);
  EXPECT_EQ(cache.find("ann", 1), same);
  cache.put("ann", entry_of(1, 6));
  EXPECT_EQ(cache.find("ann", 1)->sequence, 6);

  EXPECT_EQ(cache.find("ann", 2), nullptr);
  cache.put("ann", entry_of(2, 1));
  EXPECT_EQ(cache.find("ann", 1), nullptr);
  ASSERT_NE(cache.find("ann", 2), nullptr);
  EXPECT_EQ(cache.find("ann", 2)->sequence, 1);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(MemberCache, ForgetsOneMemberAlone) {
  MemberCache cache(1000);
  cache.put("ann", entry_of(1, 5));
  cache.put("bob", entry_of(1, 5));
  cache.forget("ann");
  cache.forget("nobody");
  EXPECT_EQ(cache.find("ann", 1), nullptr);
  EXPECT_NE(cache.find("bob", 1), nullptr);
  EXPECT_EQ(cache.size(), 1U);
  // What is learned of it afterwards counts from the beginning.
  cache.put("ann", entry_of(1, 1));
  EXPECT_EQ(cache.find("ann", 1)->sequence, 1);
}

TEST(MemberCache, LetsGoOfWhoWasNotAskedForLongest) {
  // A shard keeps two; one that is asked for after every other must outlast all of them.
  MemberCache cache(32);
  cache.put("in use", entry_of(1, 1));
  for (int i = 0; i < 1000; ++i) {
    cache.put("member " + std::to_string(i), entry_of(1, 1));
    ASSERT_NE(cache.find("in use", 1), nullptr) << i;
    EXPECT_LE(cache.size(), 32U);
  }
  EXPECT_EQ(cache.size(), 32U);
  EXPECT_EQ(cache.find("member 0", 1), nullptr);
  EXPECT_NE(cache.find("member 999", 1), nullptr);
}

TEST(MemberCache, WithoutRoomKeepsNothing) {
  MemberCache cache(0);
  cache.put("ann", entry_of(1, 5));
  EXPECT_EQ(cache.find("ann", 1), nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace limber
