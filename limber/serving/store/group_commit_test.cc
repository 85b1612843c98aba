#include "limber/serving/store/group_commit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>

namespace limber {
namespace {

using Commits = GroupCommit<const int>;

TEST(GroupCommit, WritesEveryRequestOnceAndOneGroupAtATime) {
  constexpr int kThreads = 8, kRequests = 2000;
  std::atomic<int> writing = 0;
  std::multiset<int> written;  // Without a lock of its own: groups must not overlap.
  std::size_t largest = 0;
  Commits commits(
      [&](std::span<Commits::Entry*> group) {
        EXPECT_EQ(++writing, 1);
        largest = std::max(largest, group.size());
        for (const auto* entry : group) written.insert(*entry->request);
        --writing;
      },
      5);
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kRequests; ++i) {
          const int request = t * kRequests + i;
          commits.commit(request);
        }
      });
    }
  }
  ASSERT_EQ(written.size(), static_cast<std::size_t>(kThreads * kRequests));
  int expected = 0;
  for (const int request : written) EXPECT_EQ(request, expected++);
  EXPECT_LE(largest, 5u);
}

TEST(GroupCommit, ThoseWhoComeMeanwhileShareTheNextGroup) {
  constexpr int kFollowers = 4;
  std::latch first_is_writing(1), go_on(1);
  std::vector<std::size_t> sizes;
  Commits commits(
      [&](std::span<Commits::Entry*> group) {
        sizes.push_back(group.size());
        if (sizes.size() == 1) {
          first_is_writing.count_down();
          go_on.wait();
        }
      },
      100);
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { commits.commit(0); });
  first_is_writing.wait();
  for (int i = 0; i < kFollowers; ++i) {
    threads.emplace_back([&] { commits.commit(1); });
  }
  while (commits.waiting() < kFollowers) std::this_thread::yield();
  go_on.count_down();
  threads.clear();
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, kFollowers}));
}

TEST(GroupCommit, GivesAFailureToWhomItBelongs) {
  std::latch first_is_writing(1), go_on(1);
  int group_number = 0;
  Commits commits(
      [&](std::span<Commits::Entry*> group) {
        if (++group_number == 1) {
          first_is_writing.count_down();
          go_on.wait();
          throw std::runtime_error("the whole group");
        }
        for (auto* entry : group) {
          if (*entry->request == 13) {
            entry->failure = std::make_exception_ptr(std::invalid_argument("thirteen"));
          }
        }
      },
      100);
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { EXPECT_THROW(commits.commit(0), std::runtime_error); });
  first_is_writing.wait();
  threads.emplace_back([&] { EXPECT_THROW(commits.commit(13), std::invalid_argument); });
  threads.emplace_back([&] { EXPECT_NO_THROW(commits.commit(14)); });
  while (commits.waiting() < 2) std::this_thread::yield();
  go_on.count_down();
}

}  // namespace
}  // namespace limber
