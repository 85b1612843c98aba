// What holds for every store of embeddings, and for the search for outdated ones.
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

class StateStores : public MemberStores {};

TEST_P(StateStores, KeepEachVersionsStateApart) {
  append("ann");
  const MemberState one{{0.5f, -1.25f, 3e-30f}, "ranker", "000001", kStart, 1};
  const MemberState two{{7}, "ranker", "000002", kStart + 1, 0};
  EXPECT_TRUE(store_->put_state("ann", one));
  EXPECT_TRUE(store_->put_state("ann", two));
  const auto found = store_->get_state("ann", "ranker", "000001");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->values, one.values);
  EXPECT_EQ(found->model, "ranker");
  EXPECT_EQ(found->version, "000001");
  EXPECT_EQ(found->time_ms, kStart);
  EXPECT_EQ(found->sequence, 1);
  EXPECT_EQ(store_->get_state("ann", "ranker", "000002")->values, two.values);
  EXPECT_FALSE(store_->get_state("ann", "ranker", "00000"));
  EXPECT_FALSE(store_->get_state("ann", "ranker0", "00001"));
  EXPECT_FALSE(store_->get_state("ann", "other", "000001"));
  EXPECT_FALSE(store_->get_state("an", "nranker", "000001"));

  EXPECT_TRUE(store_->put_state("bob", {{}, "ranker", "000001", kStart, 0}));
  const Names members = {"nobody", "bob", "ann"};
  const auto many = store_->get_states(members, "ranker", "000001");
  ASSERT_EQ(many.size(), 3u);
  EXPECT_FALSE(many[0]);
  EXPECT_TRUE(many[1]->values.empty());
  EXPECT_EQ(many[2]->values, one.values);
}

TEST_P(StateStores, RefuseAStateThatIsOutOfDate) {
  for (int i = 0; i < 5; ++i) append("ann");
  EXPECT_TRUE(store_->put_state("ann", state(4, "1", {4})));
  EXPECT_FALSE(store_->put_state("ann", state(3, "1", {3})));
  EXPECT_EQ(store_->get_state("ann", "model", "1")->values, std::vector<float>{4});
  EXPECT_TRUE(store_->put_state("ann", state(4, "1", {5})));
  EXPECT_TRUE(store_->put_state("ann", state(3, "2"))) << "another version is another state";
  EXPECT_FALSE(store_->put_state("ann", state(6)));

  // Adapted while the member asked to be forgotten: it must not come back.
  store_->forget("ann");
  EXPECT_FALSE(store_->put_state("ann", state(5)));
  EXPECT_FALSE(store_->get_state("ann", "model", "1"));
  const std::vector<NamedState> many = {{"ann", state(1)}, {"bob", state(0)}, {"bob", state(1)}};
  EXPECT_EQ(store_->put_states(many), (std::vector<bool>{false, true, false}));
}

TEST_P(StateStores, KeepFewStatesAndNoneTooLong) {
  options_.most_states = 2;
  options_.state_ttl = 100s;
  open();
  append("ann");
  for (const char* version : {"a", "b", "c"}) {
    EXPECT_TRUE(store_->put_state("ann", state(1, version)));
    now_ += 1000;
  }
  EXPECT_FALSE(store_->get_state("ann", "model", "a"));
  EXPECT_TRUE(store_->get_state("ann", "model", "b"));
  EXPECT_TRUE(store_->get_state("ann", "model", "c"));
  EXPECT_TRUE(store_->put_state("ann", state(1, "b"))) << "the same again needs no room";
  EXPECT_TRUE(store_->get_state("ann", "model", "c"));
  now_ += 100'000;
  EXPECT_TRUE(store_->get_state("ann", "model", "b"));
  now_ += 1;
  EXPECT_FALSE(store_->get_state("ann", "model", "b"));
  EXPECT_EQ(scanned(10, "b"), Names{"ann"}) << "without a state it has to be adapted";
  EXPECT_FALSE(store_->put_state("ann", {{1}, "model", "b", now_ - 100'001, 1}));
}

TEST_P(StateStores, ScanFindsExactlyTheMembersWithNewerInteractions) {
  std::set<std::string> expected, all;
  for (int i = 0; i < 60; ++i) {
    const std::string member = "m" + std::to_string(i);
    all.insert(member);
    if (i % 7 != 0) append(member);
    if (i % 3 == 0) store_->put_state(member, state(i % 7 != 0 ? 1 : 0));
    if (i % 6 == 0) append(member);
    const bool adapted = i % 3 == 0, appended = i % 7 != 0;
    if ((appended && !adapted) || i % 6 == 0) expected.insert(member);
  }
  const Names in_order(expected.begin(), expected.end());
  for (const std::int64_t limit : {1, 7, 60, 1000}) EXPECT_EQ(scanned(limit), in_order) << limit;

  // What it says of them.
  const ScanPage page = store_->scan("", 1000, "model", "1");
  for (const ScanEntry& entry : page.entries) {
    if (entry.member == "m6") {
      EXPECT_EQ(entry.newest_sequence, 2);
      EXPECT_EQ(entry.state_sequence, 1);
    }
    if (entry.member == "m1") {
      EXPECT_EQ(entry.newest_sequence, 1);
      EXPECT_FALSE(entry.state_sequence);
    }
  }
  // For another version, all with interactions are due.
  EXPECT_EQ(scanned(10, "2").size(), 60u - 9 + 2);

  // A walk that was broken off goes on where it was, in another process too; members that came
  // behind it or went do not disturb it.
  const ScanPage first = store_->scan("", 25, "model", "1");
  Names walked;
  for (const ScanEntry& entry : first.entries) walked.push_back(entry.member);
  append("a-newcomer");
  store_->forget(first.next_cursor);
  if (outlives_its_process()) open();
  std::string cursor = first.next_cursor;
  while (!cursor.empty()) {
    const ScanPage next = store_->scan(cursor, 4, "model", "1");
    for (const ScanEntry& entry : next.entries) walked.push_back(entry.member);
    cursor = next.next_cursor;
  }
  EXPECT_EQ(walked, in_order);
}

INSTANTIATE_TEST_SUITE_P(All, StateStores, testing::Values("memory", "rocksdb", "redis"),
                         [](const auto& store) { return std::string(store.param); });

}  // namespace
}  // namespace limber
