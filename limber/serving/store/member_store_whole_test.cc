// What holds for every store as a whole: after reopening, under threads, beside the one in memory.
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

class WholeStores : public MemberStores {};

TEST_P(WholeStores, CountAndAreHealthy) {
  for (int i = 0; i < 20; ++i) append("m" + std::to_string(i % 5), "", std::string(1000, 'x'));
  const StoreCounts counts = store_->counts();
  EXPECT_GE(counts.members, 5);
  EXPECT_LE(counts.members, 20);
  EXPECT_EQ(counts.interactions.value_or(20), 20);
  EXPECT_GE(counts.bytes, 20'000);
  EXPECT_TRUE(store_->health().usable) << store_->health().reason;
}

TEST_P(WholeStores, FindEverythingAfterReopening) {
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

TEST_P(WholeStores, ConcurrentAppendsKeepAllAndNumberThemWithoutGaps) {
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
TEST_P(WholeStores, AgreeWithTheStoreInMemory) {
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

INSTANTIATE_TEST_SUITE_P(All, WholeStores, testing::Values("memory", "rocksdb", "redis"),
                         [](const auto& store) { return std::string(store.param); });

}  // namespace
}  // namespace limber
