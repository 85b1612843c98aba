// What holds for every store of interactions, run against each.
#include "limber/serving/store/member_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <set>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"
#include "limber/serving/store/member_stores_for_test.h"

namespace limber {
namespace {

using namespace std::chrono_literals;

class InteractionStores : public MemberStores {};

TEST_P(InteractionStores, ReturnTheLatestOldestFirst) {
  for (int i = 1; i <= 5; ++i) {
    const AppendResult result = append("ann", "", std::to_string(i));
    EXPECT_TRUE(result.stored());
    EXPECT_EQ(result.sequence, i);
  }
  append("bob", "b1", "B");
  const auto latest = store_->recent("ann", 2);
  ASSERT_EQ(latest.size(), 2u);
  EXPECT_EQ(latest[0].interaction.body, "4");
  EXPECT_EQ(latest[1].interaction.body, "5");
  EXPECT_EQ(latest[1].sequence, 5);
  EXPECT_EQ(latest[1].interaction.time_ms, kStart);
  EXPECT_EQ(sequences("ann"), (Sequences{1, 2, 3, 4, 5}));
  EXPECT_TRUE(store_->recent("ann", 0).empty());
  EXPECT_TRUE(store_->recent("nobody", 10).empty());

  const Names members = {"bob", "nobody", "ann", "bob"};
  const auto many = store_->recent_many(members, 3);
  ASSERT_EQ(many.size(), 4u);
  ASSERT_EQ(many[0].size(), 1u);
  EXPECT_EQ(many[0][0].interaction.event_id, "b1");
  EXPECT_EQ(many[0][0].interaction.body, "B");
  EXPECT_TRUE(many[1].empty());
  EXPECT_EQ(many[2].size(), 3u);
  EXPECT_EQ(many[3].size(), 1u);
}

TEST_P(InteractionStores, KeepNoMoreThanTheCap) {
  options_.most_interactions = 3;
  open();
  for (int i = 1; i <= 7; ++i) append("ann", "e" + std::to_string(i));
  EXPECT_EQ(sequences("ann"), (Sequences{5, 6, 7}));
  // A dropped one's event_id is free again.
  EXPECT_EQ(append("ann", "e1").sequence, 8);
  EXPECT_EQ(append("ann", "e7").outcome, AppendOutcome::kDuplicate);

  // More than the cap in one call, the dropped ones among the new.
  std::vector<MemberInteraction> many;
  many.reserve(9);
  for (int i = 0; i < 9; ++i) many.push_back({"bob", at(now_, "x" + std::to_string(i % 5))});
  const auto results = store_->append_many(many);
  // x0 to x4 are 1 to 5; x0, dropped meanwhile, is stored again and drops x2, and so on.
  EXPECT_EQ(results[5].sequence, 6);
  EXPECT_EQ(results[6].sequence, 7);
  EXPECT_EQ(results[7].sequence, 8);
  EXPECT_EQ(results[8].sequence, 9);
  EXPECT_EQ(sequences("bob"), (Sequences{7, 8, 9}));
}

TEST_P(InteractionStores, DoNotStoreAnEventTwice) {
  EXPECT_EQ(append("ann", "click-1").sequence, 1);
  EXPECT_EQ(append("ann", "click-2").sequence, 2);
  const AppendResult again = append("ann", "click-1");
  EXPECT_EQ(again.outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(again.sequence, 1);
  EXPECT_EQ(append("bob", "click-1").sequence, 1) << "another member's event is another event";
  EXPECT_EQ(append("ann", "").sequence, 3);
  EXPECT_EQ(append("ann", "").sequence, 4);
  const std::vector<MemberInteraction> many = {{"ann", at(now_, "a")},
                                               {"ann", at(now_, "a")},
                                               {"bob", at(now_, "a")},
                                               {"ann", at(now_, "b")}};
  const auto results = store_->append_many(many);
  EXPECT_EQ(results[0].sequence, 5);
  EXPECT_EQ(results[1].outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(results[1].sequence, 5);
  EXPECT_EQ(results[2].sequence, 2);
  EXPECT_EQ(results[3].sequence, 6);
}

TEST_P(InteractionStores, LetInteractionsExpire) {
  options_.interaction_ttl = 100s;
  open();
  append("ann", "old");
  now_ += 60'000;
  append("ann", "young");
  store_->append("ann", at(now_ - 50'000, "late"));
  EXPECT_EQ(sequences("ann"), (Sequences{1, 2, 3}));
  now_ += 40'000;
  EXPECT_EQ(sequences("ann"), (Sequences{1, 2, 3})) << "100 s old is not older than 100 s";
  now_ += 1;
  EXPECT_EQ(sequences("ann"), (Sequences{2, 3}));
  EXPECT_EQ(sequences("ann", 1), (Sequences{3}));
  now_ += 10'000;
  EXPECT_EQ(sequences("ann", 1), (Sequences{2})) << "the newest to arrive has expired first";
  EXPECT_EQ(append("ann", "late").sequence, 4) << "what has expired is no duplicate";
  EXPECT_EQ(append("ann", "young").outcome, AppendOutcome::kDuplicate);
  const AppendResult expired = store_->append("ann", at(now_ - 100'001, "x"));
  EXPECT_EQ(expired.outcome, AppendOutcome::kExpired);
  EXPECT_EQ(expired.sequence, 0);
  EXPECT_EQ(sequences("ann"), (Sequences{2, 4}));
}

TEST_P(InteractionStores, BeginAgainWhenAllHasExpired) {
  options_.interaction_ttl = 100s;
  options_.state_ttl = 300s;
  open();
  for (int i = 0; i < 3; ++i) append("ann", "e" + std::to_string(i));
  EXPECT_TRUE(store_->put_state("ann", state(3)));
  now_ += 200'000;
  EXPECT_EQ(append("ann").sequence, 4) << "numbers go on while a state refers to them";
  now_ += 300'001;
  EXPECT_FALSE(store_->get_state("ann", "model", "1"));
  EXPECT_TRUE(scanned(10).empty());
  EXPECT_EQ(append("ann", "e0").sequence, 1);
  EXPECT_EQ(sequences("ann"), (Sequences{1}));
  EXPECT_EQ(scanned(10), (Names{"ann"}));
}

TEST_P(InteractionStores, TakeAnyBytesAsNames) {
  const Names members = {std::string("\0", 1),
                         std::string("\0\0", 2),
                         std::string("\0\1a", 3),
                         "\xff\xff",
                         "a b\r\n*1",
                         "limber:members",
                         "}{",
                         "%s%n",
                         std::string(kLongestName, '\xff')};
  const std::string odd("\0\xff\n", 3);
  for (std::size_t i = 0; i < members.size(); ++i) {
    EXPECT_EQ(append(members[i], odd, odd + std::to_string(i)).sequence, 1);
    EXPECT_EQ(append(members[i], odd).outcome, AppendOutcome::kDuplicate);
    MemberState one{{static_cast<float>(i)}, odd, odd + "v", kStart, 0};
    EXPECT_TRUE(store_->put_state(members[i], one));
  }
  const auto states = store_->get_states(members, odd, odd + "v");
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto stored = store_->recent(members[i], 10);
    ASSERT_EQ(stored.size(), 1u) << i;
    EXPECT_EQ(stored[0].interaction.event_id, odd);
    EXPECT_EQ(stored[0].interaction.body, odd + std::to_string(i));
    ASSERT_TRUE(states[i]);
    EXPECT_EQ(states[i]->values, std::vector<float>{static_cast<float>(i)});
  }
  Names sorted = members;
  std::ranges::sort(sorted);
  EXPECT_EQ(scanned(2), sorted);
}

TEST_P(InteractionStores, RefuseWhatNoStoreCouldTake) {
  const std::string long_name(kLongestName + 1, 'x');
  EXPECT_THROW(append(long_name), InputError);
  EXPECT_THROW(append(""), InputError);
  EXPECT_THROW(append("ann", long_name), InputError);
  EXPECT_THROW(append("ann", "", std::string(kLongestBody + 1, 'x')), InputError);
  EXPECT_THROW(store_->recent(long_name, 1), InputError);
  EXPECT_THROW(store_->recent("ann", -1), InputError);
  EXPECT_THROW(store_->put_state("ann", state(-1)), InputError);
  EXPECT_THROW(store_->put_state("ann", state(0, long_name)), InputError);
  EXPECT_THROW(store_->get_state("ann", long_name, ""), InputError);
  EXPECT_THROW(store_->forget(""), InputError);
  EXPECT_THROW(store_->scan("", 0, "", ""), InputError);
  EXPECT_EQ(append("ann", std::string(kLongestName, 'e'), std::string(kLongestBody, 'x')).sequence,
            1);
  EXPECT_EQ(store_->recent("ann", 1)[0].interaction.body.size(), kLongestBody);
  options_.most_interactions = 0;
  EXPECT_THROW(open(), InputError);
}

TEST_P(InteractionStores, ForgetAMemberAndNoOther) {
  for (const std::string member : {"ann", "anna", "an"}) {
    append(member, "e");
    append(member);
    store_->put_state(member, state(1));
  }
  store_->forget("ann");
  store_->forget("nobody");
  EXPECT_TRUE(sequences("ann").empty());
  EXPECT_FALSE(store_->get_state("ann", "model", "1"));
  EXPECT_EQ(scanned(10), (Names{"an", "anna"}));
  EXPECT_EQ(sequences("anna"), (Sequences{1, 2}));
  EXPECT_TRUE(store_->get_state("an", "model", "1"));
  EXPECT_EQ(append("ann", "e").sequence, 1);
  if (kind() == "redis") {
    EXPECT_EQ(redis_->ask({"EXISTS", "limber:s:ann"}), Names{"0"});
    EXPECT_EQ(redis_->ask({"LLEN", "limber:i:ann"}), Names{"1"});
  }
}

INSTANTIATE_TEST_SUITE_P(All, InteractionStores, testing::Values("memory", "rocksdb", "redis"),
                         [](const auto& store) { return std::string(store.param); });

TEST(OpenMemberStore, SaysWhatAddressesAre) {
  for (const char* url : {"", "rocksdb:", "memory", "memory:x", "redis:localhost", "/folder",
                          "redis://", "redis://host:port", "redis://host:0", "redis://:@host",
                          "redis://host/db", "redis://:%zz@host", "redis://[::1", "http://x"}) {
    EXPECT_THROW(open_member_store(url), InputError) << url;
  }
  try {
    open_member_store("redis://:se%zzcret@host");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()).find("cret"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace limber
