#include "limber/serving/grpc/request_pool.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/gate_for_test.h"

namespace limber {
namespace {

using http::comes_true;
using http::Gate;
using std::chrono::milliseconds;
using Clock = RequestPool::Clock;
constexpr Clock::time_point kNever = Clock::time_point::max();

/// Answers of one kind of call, in the order in which they came.
class Answers {
 public:
  RequestPool::Answer taker() {
    return [this](const grpc::Status& status) {
      const std::lock_guard lock(mutex_);
      statuses_.push_back(status);
    };
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return statuses_.size();
  }
  grpc::Status at(std::size_t i) const {
    const std::lock_guard lock(mutex_);
    return statuses_.at(i);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<grpc::Status> statuses_;
};

grpc::Status ok() {
  return grpc::Status::OK;
}

TEST(RequestPool, TurnsAwayWhatIsTooMuchAtOnceAndFinishesTheRest) {
  RequestPool pool(1, 3, std::chrono::hours(1));
  Gate gate;
  Answers accepted, refused;
  const auto held = [&] {
    gate.pass();
    return grpc::Status::OK;
  };
  for (int i = 0; i < 3; ++i) pool.submit(kNever, held, accepted.taker());
  EXPECT_EQ(pool.in_flight(), 3U);
  // Answered before submit() returns, while the others wait.
  pool.submit(kNever, held, refused.taker());
  ASSERT_EQ(refused.count(), 1U);
  EXPECT_EQ(refused.at(0).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(pool.in_flight(), 3U);
  EXPECT_EQ(accepted.count(), 0U);
  gate.open();
  ASSERT_TRUE(comes_true([&] { return accepted.count() == 3; }));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(accepted.at(i).ok());
  EXPECT_EQ(pool.in_flight(), 0U);
}

TEST(RequestPool, TurnsAwayWhatWouldWaitTooLong) {
  for (const bool by_deadline : {false, true}) {
    RequestPool pool(1, 1000, by_deadline ? milliseconds(3'600'000) : milliseconds(10));
    Answers first, later;
    // What a request takes is learned from one.
    pool.submit(
        kNever,
        [] {
          std::this_thread::sleep_for(milliseconds(100));
          return grpc::Status::OK;
        },
        first.taker());
    ASSERT_TRUE(comes_true([&] { return first.count() == 1; }));
    // A free thread takes whatever comes.
    Gate gate;
    pool.submit(
        Clock::now() + milliseconds(60'000),
        [&] {
          gate.pass();
          return grpc::Status::OK;
        },
        first.taker());
    ASSERT_TRUE(comes_true([&] { return gate.waiting() == 1; }));
    pool.submit(by_deadline ? Clock::now() + milliseconds(50) : kNever, ok, later.taker());
    ASSERT_EQ(later.count(), 1U);
    EXPECT_EQ(later.at(0).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_NE(later.at(0).error_message().find("wait"), std::string::npos);
    if (by_deadline) {
      pool.submit(Clock::now() + milliseconds(60'000), ok, later.taker());
      EXPECT_EQ(later.count(), 1U);
    }
    gate.open();
    pool.stop();
    EXPECT_EQ(first.count(), 2U);
    EXPECT_EQ(later.count(), by_deadline ? 2U : 1U);
  }
}

TEST(RequestPool, DoesNotRunWhatIsExpired) {
  RequestPool pool(1, 10, std::chrono::hours(1));
  Gate gate;
  Answers first, late;
  std::atomic<int> runs = 0;
  pool.submit(
      kNever,
      [&] {
        gate.pass();
        return grpc::Status::OK;
      },
      first.taker());
  const Clock::time_point deadline = Clock::now() + milliseconds(20);
  pool.submit(
      deadline,
      [&] {
        ++runs;
        return grpc::Status::OK;
      },
      late.taker());
  std::this_thread::sleep_until(deadline + milliseconds(1));
  gate.open();
  pool.stop();
  ASSERT_EQ(late.count(), 1U);
  EXPECT_EQ(late.at(0).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(runs, 0);
  EXPECT_TRUE(first.at(0).ok());
}

TEST(RequestPool, GivesTheRoomBackBeforeItAnswers) {
  RequestPool pool(2, 1, std::chrono::hours(1));
  Answers answers;
  // Each answer brings the next request, which must find the only place free.
  std::atomic<int> left = 200;
  std::function<void(grpc::Status)> next = [&](const grpc::Status& status) {
    answers.taker()(status);
    if (--left > 0) pool.submit(kNever, ok, next);
  };
  pool.submit(kNever, ok, next);
  ASSERT_TRUE(comes_true([&] { return answers.count() == 200; }));
  for (std::size_t i = 0; i < 200; ++i) EXPECT_TRUE(answers.at(i).ok()) << i;
}

TEST(RequestPool, AnswersEachOnceWhateverTheCrowd) {
  constexpr std::size_t kMost = 8;
  constexpr int kSenders = 6, kEach = 2000;
  RequestPool pool(3, kMost, std::chrono::hours(1));
  std::atomic<int> accepted = 0, refused = 0, runs = 0;
  std::atomic<std::size_t> running = 0, most_running = 0;
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        pool.submit(
            kNever,
            [&] {
              const std::size_t now = ++running;
              std::size_t most = most_running;
              while (now > most && !most_running.compare_exchange_weak(most, now)) {
              }
              ++runs;
              --running;
              return grpc::Status::OK;
            },
            [&](const grpc::Status& status) { ++(status.ok() ? accepted : refused); });
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  pool.stop();
  EXPECT_EQ(accepted + refused, kSenders * kEach);
  EXPECT_EQ(runs, accepted);
  EXPECT_GT(accepted, 0);
  EXPECT_LE(most_running, 3U);
  EXPECT_EQ(pool.in_flight(), 0U);
}

}  // namespace
}  // namespace limber
