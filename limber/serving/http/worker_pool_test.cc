#include "limber/serving/http/worker_pool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/gate_for_test.h"
#include "limber/serving/http/route.h"

namespace limber::http {
namespace {

class TestExchange : public Exchange {
 public:
  std::atomic<bool> delivered = false;

 private:
  void deliver() override { delivered = true; }
};

class WorkerPoolTest : public ::testing::Test {
 protected:
  WorkerPoolTest() {
    make(slow_, "/slow", {});
    slow_.handler = [this](const Request&) {
      gate_.pass();
      return Response();
    };
    make(quick_, "/quick", {});
    quick_.handler = [this](const Request& request) {
      const std::lock_guard lock(mutex_);
      order_.emplace_back(request.path);
      return Response();
    };
    make(low_, "/low", {.priority = Priority::kLow});
    low_.handler = quick_.handler;
  }
  void make(Route& route, const std::string& pattern, RouteOptions options) {
    route.method = "GET";
    route.pattern = pattern;
    options.most_wait = std::chrono::minutes(1);
    route.options = options;
    route.metrics.attach(metrics_, "GET", pattern);
  }
  std::optional<Shed> submit(WorkerPool& pool, Route& route) {
    auto exchange = std::make_shared<TestExchange>();
    exchange->route = &route;
    exchange->request.path = route.pattern;
    exchanges_.push_back(exchange);
    return pool.submit(exchange);
  }
  void occupy(WorkerPool& pool, std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) {
      ASSERT_FALSE(submit(pool, slow_));
      ASSERT_TRUE(comes_true([&] { return gate_.waiting() == i + 1; }));
    }
  }
  bool all_delivered() {
    return std::ranges::all_of(exchanges_, [](const auto& each) { return each->delivered.load(); });
  }

  Metrics metrics_;
  Route slow_, quick_, low_;
  std::mutex mutex_;
  std::vector<std::string> order_;
  std::vector<std::shared_ptr<TestExchange>> exchanges_;
  std::atomic<std::size_t> length_ = 0;
  std::optional<WorkerPool> pool_;
  Gate gate_;  // opened first
};

TEST_F(WorkerPoolTest, DrawsNormalBeforeLow) {
  WorkerPool& pool = pool_.emplace(1, 100, length_);
  occupy(pool, 1);
  for (Route* route : {&low_, &quick_, &low_, &quick_}) ASSERT_FALSE(submit(pool, *route));
  EXPECT_EQ(length_, 4U);
  gate_.open();
  ASSERT_TRUE(comes_true([&] { return all_delivered(); }));
  EXPECT_EQ(order_, (std::vector<std::string>{"/quick", "/quick", "/low", "/low"}));
  EXPECT_EQ(length_, 0U);
}

TEST_F(WorkerPoolTest, AddsUpWhatEachRouteTakes) {
  WorkerPool& pool = pool_.emplace(2, 100, length_);
  occupy(pool, 2);
  // Three that take 4 s, by two workers: 6 s.
  quick_.service_seconds = 4;
  for (int i = 0; i < 3; ++i) ASSERT_FALSE(submit(pool, quick_));
  quick_.options.most_wait = std::chrono::milliseconds(6100);
  EXPECT_FALSE(pool.refusal(quick_, TimePoint::max()));
  quick_.options.most_wait = std::chrono::milliseconds(5900);
  EXPECT_EQ(pool.refusal(quick_, TimePoint::max()), Shed::kWaitTooLong);
  EXPECT_EQ(submit(pool, quick_), Shed::kWaitTooLong);
  exchanges_.pop_back();
  // What cannot be ready by its deadline is not begun, either: 6 s of waiting, 4 s of work.
  quick_.options.most_wait = std::chrono::minutes(1);
  EXPECT_EQ(pool.refusal(quick_, Clock::now() + std::chrono::milliseconds(9900)),
            Shed::kWaitTooLong);
  EXPECT_FALSE(pool.refusal(quick_, Clock::now() + std::chrono::seconds(30)));
  gate_.open();
  ASSERT_TRUE(comes_true([&] { return all_delivered(); }));
  // The belief follows what was seen since, and an empty queue accepts whatever is believed.
  EXPECT_LT(quick_.service_seconds, 4);
  quick_.service_seconds = 1000;
  EXPECT_FALSE(pool.refusal(quick_, Clock::now() + std::chrono::seconds(1)));
}

TEST_F(WorkerPoolTest, NeverTurnsVitalRequestsAway) {
  WorkerPool& pool = pool_.emplace(1, 1, length_);
  Route vital;
  make(vital, "/vital", {.priority = Priority::kVital});
  vital.handler = quick_.handler;
  occupy(pool, 1);
  ASSERT_FALSE(submit(pool, quick_));
  EXPECT_EQ(submit(pool, quick_), Shed::kQueueFull);
  exchanges_.pop_back();
  for (int i = 0; i < 5; ++i) {
    ASSERT_FALSE(submit(pool, vital));
    ASSERT_TRUE(comes_true([&] { return exchanges_.back()->delivered.load(); }));
  }
  EXPECT_EQ(gate_.waiting(), 1U);
  gate_.open();
  pool_.reset();
}

TEST_F(WorkerPoolTest, NeverRunsWhatHasExpired) {
  WorkerPool& pool = pool_.emplace(1, 10, length_);
  occupy(pool, 1);
  ASSERT_FALSE(submit(pool, quick_));
  EXPECT_EQ(exchanges_.back()->expire(), Exchange::Expired::kInQueue);
  ASSERT_FALSE(submit(pool, low_));
  gate_.open();
  ASSERT_TRUE(comes_true([&] { return exchanges_.back()->delivered.load(); }));
  EXPECT_EQ(order_, std::vector<std::string>{"/low"});
  EXPECT_FALSE(exchanges_[1]->delivered);
}

TEST_F(WorkerPoolTest, DropsWhatIsQueuedWhenItStops) {
  WorkerPool& pool = pool_.emplace(1, 10, length_);
  occupy(pool, 1);
  ASSERT_FALSE(submit(pool, quick_));
  const std::weak_ptr<TestExchange> dropped = exchanges_.back();
  exchanges_.pop_back();
  std::thread stopping([&] { pool.stop(); });
  ASSERT_TRUE(comes_true([&] { return dropped.expired() || length_ == 0; }));
  gate_.open();
  stopping.join();
  EXPECT_TRUE(dropped.expired());
  EXPECT_TRUE(order_.empty());
  EXPECT_TRUE(exchanges_.front()->delivered);  // what ran has finished
}

TEST(ExchangeState, IsAnsweredOnceWhoeverRaces) {
  for (int round = 0; round < 300; ++round) {
    TestExchange exchange;
    ASSERT_TRUE(exchange.begin());
    std::atomic<int> winners = 0, go = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        ++go;
        while (go < 3) std::this_thread::yield();
        const bool won = i == 0 ? exchange.expire() != Exchange::Expired::kAnswered
                                : exchange.answer(Response::text(std::to_string(i)));
        if (won) ++winners;
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(winners, 1);
    ASSERT_FALSE(exchange.begin());
  }
}

}  // namespace
}  // namespace limber::http
