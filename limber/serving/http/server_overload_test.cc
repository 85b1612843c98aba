// What happens when more work comes than the workers can do.
#include <gtest/gtest.h>

#include <thread>

#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/gate_for_test.h"
#include "limber/serving/http/prometheus_text_for_test.h"
#include "limber/serving/http/server.h"

namespace limber::http {
namespace {

using std::chrono::milliseconds;

/// A deadline that no test means to reach.
constexpr milliseconds kLong{60'000};

class HttpOverload : public ::testing::Test {
 protected:
  void start(ServerOptions options, RouteOptions slow = {}) {
    server_.emplace(options);
    server_->route(
        "GET", "/slow",
        [this](const Request&) {
          ++begun_;
          gate_.pass();
          return Response::text("done");
        },
        slow);
    server_->route("GET", "/quick", [this](const Request&) {
      ++quick_;
      return Response::text("quick");
    });
    server_->route("GET", "/low", [](const Request&) { return Response::text("low"); },
                   {.priority = Priority::kLow});
    server_->route("GET", "/one", [](const Request&) { return Response::text("one"); },
                   {.most_in_flight = 1});
    server_->route("GET", "/health", [](const Request&) { return Response::text("ok"); },
                   {.priority = Priority::kVital});
    server_->start();
  }
  Client& send(const std::string& target, const std::string& headers = "") {
    clients_.push_back(std::make_unique<Client>(server_->port()));
    clients_.back()->send("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    return *clients_.back();
  }
  /// All workers stand at the gate.
  void occupy(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) send("/slow");
    ASSERT_TRUE(comes_true([&] { return gate_.waiting() == workers; }));
  }
  double sample(const std::string& name) {
    return PrometheusText(server_->metrics().text()).value(name);
  }

  std::optional<Server> server_;
  Gate gate_;  // opened before the server waits for its workers
  std::atomic<int> begun_ = 0, quick_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_F(HttpOverload, TurnsAwayAtAFullQueueWhileTheRestFinishes) {
  start({.workers = 2,
         .queue_capacity = 4,
         .most_wait = kLong,
         .retry_after = std::chrono::seconds(7),
         .deadline = kLong});
  occupy(2);
  for (int i = 0; i < 4; ++i) send("/slow");
  ASSERT_TRUE(comes_true([&] { return server_->queue_length() == 4; }));
  Client late(server_->port());
  for (int i = 0; i < 10; ++i) {
    const Reply refused = late.get("/slow");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.at("Retry-After"), "7");
    EXPECT_EQ(refused.headers.at("Connection"), "keep-alive");
  }
  EXPECT_EQ(late.get("/health").status, 200);
  EXPECT_EQ(begun_, 2);
  gate_.open();
  for (const auto& client : clients_) EXPECT_EQ(client->read().body, "done");
  EXPECT_EQ(late.get("/slow").status, 200);
  EXPECT_EQ(begun_, 7);
  EXPECT_EQ(sample("limber_http_shed_total{method=\"GET\",reason=\"queue_full\",route=\"/slow\"}"),
            10);
}

TEST_F(HttpOverload, TurnsAwayBeyondARoutesOwnLimit) {
  start({.workers = 1, .most_wait = kLong, .deadline = kLong}, {.most_in_flight = 3});
  occupy(1);
  send("/slow");
  send("/slow");
  ASSERT_TRUE(comes_true([&] { return server_->queue_length() == 2; }));
  Client late(server_->port());
  const Reply refused = late.get("/slow");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.at("Retry-After"), "1");
  send("/quick");
  ASSERT_TRUE(comes_true([&] { return server_->queue_length() == 3; }));
  gate_.open();
  for (const auto& client : clients_) EXPECT_EQ(client->read().status, 200);
  // One after the other they never meet, however often.
  for (int i = 0; i < 200; ++i) EXPECT_EQ(late.get("/one").status, 200);
}

TEST_F(HttpOverload, TurnsAwayLowPriorityFirst) {
  start({.workers = 1, .queue_capacity = 4, .most_wait = kLong, .deadline = kLong});
  occupy(1);
  send("/low");
  send("/low");
  ASSERT_TRUE(comes_true([&] { return server_->queue_length() == 2; }));
  Client late(server_->port());
  EXPECT_EQ(late.get("/low").status, 503);
  send("/quick");
  ASSERT_TRUE(comes_true([&] { return server_->queue_length() == 3; }));
  gate_.open();
  for (const auto& client : clients_) EXPECT_EQ(client->read().status, 200);
}

TEST_F(HttpOverload, TurnsAwayWhenTheWaitWouldBeTooLong) {
  start({.workers = 1, .most_wait = milliseconds(40), .deadline = kLong});
  occupy(1);
  send("/quick");
  ASSERT_TRUE(comes_true([&] { return server_->queue_length() == 1; }));
  // Nothing is known of the route yet; the one that waits shows how long it takes.
  Client late(server_->port());
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_EQ(late.get("/quick").status, 503);
  EXPECT_EQ(late.get("/health").status, 200);
  EXPECT_GE(
      sample("limber_http_shed_total{method=\"GET\",reason=\"wait_too_long\",route=\"/quick\"}"),
      1);
}

TEST_F(HttpOverload, AnswersAtTheDeadlineWhatStillWaitsAndNeverRunsIt) {
  start({.workers = 1, .most_wait = kLong, .deadline = kLong});
  occupy(1);
  Client& waiting = send("/quick", "X-Request-Timeout-Ms: 50\r\n");
  const Reply expired = waiting.read();  // the worker is still held
  EXPECT_EQ(expired.status, 503);
  EXPECT_EQ(expired.headers.at("Retry-After"), "1");
  EXPECT_EQ(expired.headers.at("Connection"), "keep-alive");
  EXPECT_EQ(gate_.waiting(), 1U);
  gate_.open();
  EXPECT_EQ(clients_.front()->read().body, "done");
  EXPECT_EQ(waiting.get("/slow").body, "done");
  EXPECT_EQ(quick_, 0);
  EXPECT_EQ(sample("limber_http_shed_total{method=\"GET\",reason=\"expired\",route=\"/quick\"}"),
            1);
}

TEST_F(HttpOverload, AnswersAtTheDeadlineWhatStillRuns) {
  start({.workers = 1, .deadline = milliseconds(50)});
  Client& client = send("/slow");
  EXPECT_EQ(client.read().status, 504);
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(server_->in_flight(), 1U);  // the handler is not done with it
  gate_.open();
  EXPECT_TRUE(comes_true([&] { return server_->in_flight() == 0; }));
  EXPECT_EQ(client.get("/quick").body, "quick");
}

TEST_F(HttpOverload, RefusesATimeoutThatIsNone) {
  start({});
  for (const char* wrong : {"0", "-1", "x", "1.5", "99999999999"}) {
    EXPECT_EQ(send("/quick", fmt::format("X-Request-Timeout-Ms: {}\r\n", wrong)).read().status, 400)
        << wrong;
  }
  EXPECT_EQ(send("/quick", "X-Request-Timeout-Ms: 60000\r\n").read().status, 200);
}

TEST_F(HttpOverload, AnswersEveryRequestOfAFlood) {
  // Far more clients than workers, and a queue for a few of them.
  ServerOptions options{
      .io_threads = 2, .workers = 2, .queue_capacity = 4, .most_wait = milliseconds(5)};
  server_.emplace(options);
  std::atomic<int> at_once = 0, most = 0, ran = 0;
  server_->route("POST", "/work", [&](const Request& request) {
    int now = ++at_once, before = most;
    while (now > before && !most.compare_exchange_weak(before, now)) {
    }
    std::this_thread::sleep_for(milliseconds(1));
    --at_once;
    ++ran;
    return Response::text(std::string(request.body));
  });
  server_->start();
  std::atomic<int> done = 0, refused = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 12; ++thread) {
    threads.emplace_back([&, thread] {
      Client client(server_->port());
      for (int i = 0; i < 100; ++i) {
        const std::string body = std::to_string(thread) + "/" + std::to_string(i);
        const Reply reply = client.post("/work", body);
        if (reply.status == 200 && reply.body == body) {
          ++done;
        } else if (reply.status == 503 && reply.headers.contains("Retry-After")) {
          ++refused;
        } else {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(done + refused, 1200);
  EXPECT_EQ(ran, done);
  EXPECT_GT(done, 0);
  EXPECT_GT(refused, 0);
  EXPECT_LE(most, 2);
  EXPECT_TRUE(
      comes_true([&] { return server_->in_flight() == 0 && server_->queue_length() == 0; }));
}

}  // namespace
}  // namespace limber::http
