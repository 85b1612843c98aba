// What holds for every store, run against each.
#include "limber/serving/store/member_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <set>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/serving/store/redis_server_for_test.h"

namespace limber {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kStart = 1'700'000'000'000;

class MemberStores : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    if (!redis_) redis_ = std::make_unique<RedisServerForTest>();
  }
  static void TearDownTestSuite() { redis_.reset(); }

  void SetUp() override {
    if (kind() == "redis") redis_->ask({"FLUSHALL"});
    open();
  }

  std::string kind() const { return GetParam(); }
  bool outlives_its_process() const { return kind() != "memory"; }

  /// Opens the store with `options_`, again where it was open.
  void open() {
    store_.reset();
    options_.now_ms = [this] { return now_.load(); };
    options_.timeout = 20s;
    const std::string url = kind() == "rocksdb" ? "rocksdb:" + (folder_.path() / "store").string()
                            : kind() == "redis" ? redis_->url()
                                                : "memory:";
    store_ = open_member_store(url, options_);
  }

  Interaction at(std::int64_t time_ms, std::string event_id = "", std::string body = "{}") const {
    return {time_ms, std::move(event_id), std::move(body)};
  }
  AppendResult append(std::string_view member, std::string event_id = "", std::string body = "{}") {
    return store_->append(member, at(now_, std::move(event_id), std::move(body)));
  }
  MemberState state(std::int64_t sequence, std::string version = "1",
                    std::vector<float> values = {1}) const {
    return {std::move(values), "model", std::move(version), now_, sequence};
  }
  std::vector<std::int64_t> sequences(std::string_view member, std::int64_t limit = 1000) {
    std::vector<std::int64_t> result;
    const auto recent = store_->recent(member, limit);
    result.reserve(recent.size());
    for (const auto& stored : recent) result.push_back(stored.sequence);
    return result;
  }
  /// All that scan finds, in pages of `limit`.
  std::vector<std::string> scanned(std::int64_t limit, std::string_view version = "1") {
    std::vector<std::string> members;
    std::string cursor;
    do {
      const ScanPage page = store_->scan(cursor, limit, "model", version);
      EXPECT_LE(std::ssize(page.entries), limit);
      for (const ScanEntry& entry : page.entries) members.push_back(entry.member);
      cursor = page.next_cursor;
    } while (!cursor.empty());
    return members;
  }

  static std::unique_ptr<RedisServerForTest> redis_;
  TemporaryFolder folder_;
  std::atomic<std::int64_t> now_ = kStart;
  StoreOptions options_;
  std::unique_ptr<MemberStore> store_;
};

std::unique_ptr<RedisServerForTest> MemberStores::redis_;

using Sequences = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

TEST_P(MemberStores, ReturnTheLatestOldestFirst) {
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

TEST_P(MemberStores, KeepNoMoreThanTheCap) {
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

TEST_P(MemberStores, DoNotStoreAnEventTwice) {
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

TEST_P(MemberStores, LetInteractionsExpire) {
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

TEST_P(MemberStores, BeginAgainWhenAllHasExpired) {
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

TEST_P(MemberStores, KeepEachVersionsStateApart) {
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

TEST_P(MemberStores, RefuseAStateThatIsOutOfDate) {
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

TEST_P(MemberStores, KeepFewStatesAndNoneTooLong) {
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

TEST_P(MemberStores, ScanFindsExactlyTheMembersWithNewerInteractions) {
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

TEST_P(MemberStores, TakeAnyBytesAsNames) {
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

TEST_P(MemberStores, RefuseWhatNoStoreCouldTake) {
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

TEST_P(MemberStores, ForgetAMemberAndNoOther) {
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

TEST_P(MemberStores, CountAndAreHealthy) {
  for (int i = 0; i < 20; ++i) append("m" + std::to_string(i % 5), "", std::string(1000, 'x'));
  const StoreCounts counts = store_->counts();
  EXPECT_GE(counts.members, 5);
  EXPECT_LE(counts.members, 20);
  EXPECT_EQ(counts.interactions.value_or(20), 20);
  EXPECT_GE(counts.bytes, 20'000);
  EXPECT_TRUE(store_->health().usable) << store_->health().reason;
}

TEST_P(MemberStores, FindEverythingAfterReopening) {
  if (!outlives_its_process()) {
    append("ann");
    open();
    EXPECT_TRUE(sequences("ann").empty());
    return;
  }
  options_.most_interactions = 10;
  open();
  for (int i = 0; i < 300; ++i) append("m" + std::to_string(i % 20), "e" + std::to_string(i));
  store_->put_state("m3", state(5));
  for (int round = 0; round < 3; ++round) {
    open();
    for (int i = 0; i < 20; ++i) {
      const std::string member = "m" + std::to_string(i);
      const auto kept = store_->recent(member, 100);
      ASSERT_EQ(kept.size(), 10u);
      EXPECT_EQ(kept.front().sequence, 6);
      EXPECT_EQ(kept.back().interaction.event_id, "e" + std::to_string(280 + i));
      EXPECT_EQ(append(member, "e" + std::to_string(280 + i)).outcome, AppendOutcome::kDuplicate);
    }
    EXPECT_TRUE(store_->get_state("m3", "model", "1"));
  }
  EXPECT_EQ(append("m0").sequence, 16);
}

TEST_P(MemberStores, ConcurrentAppendsKeepAllAndNumberThemWithoutGaps) {
  constexpr std::int64_t kThreads = 8, kAppends = 150, kMembers = 5;
  options_.most_interactions = kThreads * kAppends;
  open();
  // What each thread was told, by member: sequence -> body.
  std::vector<std::map<std::string, std::map<std::int64_t, std::string>>> told(kThreads);
  std::latch together(kThreads);
  std::atomic<int> duplicates = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        together.arrive_and_wait();
        for (int i = 0; i < kAppends; ++i) {
          const std::string member = "m" + std::to_string((i + t) % kMembers);
          const std::string body = std::to_string(t) + "/" + std::to_string(i);
          const AppendResult result = append(member, body, body);
          told[static_cast<std::size_t>(t)][member][result.sequence] = body;
          // All threads race for these: one may win.
          if (!append("shared", "race-" + std::to_string(i)).stored()) ++duplicates;
          if (i % 10 == 0) store_->put_state(member, state(result.sequence));
          if (i % 16 == 0) {
            const auto recent = store_->recent(member, 1000);
            for (std::size_t k = 1; k < recent.size(); ++k) {
              EXPECT_EQ(recent[k].sequence, recent[k - 1].sequence + 1);
            }
          }
        }
      });
    }
  }
  EXPECT_EQ(duplicates, (kThreads - 1) * kAppends);
  EXPECT_EQ(std::ssize(sequences("shared", 10'000)), kAppends);
  std::size_t total = 0;
  for (int m = 0; m < kMembers; ++m) {
    const std::string member = "m" + std::to_string(m);
    std::map<std::int64_t, std::string> acknowledged;
    for (auto& by_member : told) acknowledged.merge(by_member[member]);
    std::map<std::int64_t, std::string> stored;
    std::int64_t expected = 0;
    for (const auto& one : store_->recent(member, 10'000)) {
      EXPECT_EQ(one.sequence, ++expected);
      stored[one.sequence] = one.interaction.body;
    }
    EXPECT_EQ(stored, acknowledged);
    total += stored.size();
  }
  EXPECT_EQ(total, static_cast<std::size_t>(kThreads * kAppends));
}

// Random calls give on every store what they give on the plainest one.
TEST_P(MemberStores, AgreeWithTheStoreInMemory) {
  options_.most_interactions = 4;
  options_.most_states = 2;
  options_.interaction_ttl = 50s;
  options_.state_ttl = 80s;
  open();
  const auto reference = open_member_store("memory:", options_);
  Random random(7);
  const auto member = [&] { return "m" + std::to_string(random.below(5)); };
  const auto same_page = [&](const ScanPage& page, const ScanPage& expected, int step) {
    ASSERT_EQ(page.entries.size(), expected.entries.size()) << step;
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      EXPECT_EQ(page.entries[i].member, expected.entries[i].member) << step;
      EXPECT_EQ(page.entries[i].newest_sequence, expected.entries[i].newest_sequence) << step;
      EXPECT_EQ(page.entries[i].state_sequence, expected.entries[i].state_sequence) << step;
    }
  };
  for (int step = 0; step < 3000; ++step) {
    const std::string name = member();
    // Every now and then long enough for all to expire. All times differ, so that "oldest" is one.
    now_ += random.below(200) == 0 ? 200'000 : static_cast<std::int64_t>(1 + random.below(3000));
    const std::uint64_t what = random.below(10);
    if (what < 5) {
      std::vector<MemberInteraction> batch;
      for (std::uint64_t i = random.below(3) + 1; i > 0; --i) {
        const auto event = random.below(8);
        batch.push_back({member(), at(now_ - static_cast<std::int64_t>(random.below(60'000)),
                                      event == 0 ? "" : "e" + std::to_string(event))});
      }
      const auto results = store_->append_many(batch), expected = reference->append_many(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        ASSERT_EQ(results[i].outcome, expected[i].outcome) << step;
        ASSERT_EQ(results[i].sequence, expected[i].sequence) << step;
      }
    } else if (what < 7) {
      const auto newest = static_cast<std::int64_t>(random.below(12));
      const MemberState one =
          state(newest, std::to_string(random.below(3)), {static_cast<float>(step)});
      ASSERT_EQ(store_->put_state(name, one), reference->put_state(name, one)) << step;
    } else if (what == 7 && random.below(10) == 0) {
      store_->forget(name);
      reference->forget(name);
    }
    const auto limit = static_cast<std::int64_t>(1 + random.below(5));
    const auto recent = store_->recent(name, limit), expected = reference->recent(name, limit);
    ASSERT_EQ(recent.size(), expected.size()) << step;
    for (std::size_t i = 0; i < recent.size(); ++i) {
      ASSERT_EQ(recent[i].sequence, expected[i].sequence) << step;
      ASSERT_EQ(recent[i].interaction.time_ms, expected[i].interaction.time_ms) << step;
      ASSERT_EQ(recent[i].interaction.event_id, expected[i].interaction.event_id) << step;
    }
    const std::string version = std::to_string(random.below(3));
    const auto found = store_->get_state(name, "model", version);
    const auto expected_state = reference->get_state(name, "model", version);
    ASSERT_EQ(found.has_value(), expected_state.has_value()) << step;
    if (found) {
      ASSERT_EQ(found->values, expected_state->values) << step;
    }
    same_page(store_->scan("", 100, "model", version), reference->scan("", 100, "model", version),
              step);
    if (step % 1000 == 999 && outlives_its_process()) open();
  }
}

INSTANTIATE_TEST_SUITE_P(All, MemberStores, testing::Values("memory", "rocksdb", "redis"),
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
