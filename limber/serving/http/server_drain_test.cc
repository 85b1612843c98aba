// How a server ends.
#include <gtest/gtest.h>

#include <thread>

#include "limber/core/base/error.h"
#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/gate_for_test.h"
#include "limber/serving/http/server.h"

namespace limber::http {
namespace {

using std::chrono::milliseconds;

class HttpDrain : public ::testing::Test {
 protected:
  HttpDrain() {
    server_.emplace(
        ServerOptions{.io_threads = 2, .workers = 1, .most_wait = milliseconds(60'000)});
    server_->route("GET", "/slow", [this](const Request&) {
      gate_.pass();
      return Response::text("done");
    });
    server_->route("POST", "/echo", [](const Request& request) {
      return Response::text(std::string(request.body));
    });
    EXPECT_FALSE(server_->ready());
    server_->start();
  }
  void drain(milliseconds patience) {
    draining_ = std::thread([this, patience] { clean_ = server_->drain(patience); });
  }
  ~HttpDrain() override {
    gate_.open();
    if (draining_.joinable()) draining_.join();
  }

  std::optional<Server> server_;
  Gate gate_;
  std::thread draining_;
  std::atomic<bool> clean_ = false;
};

TEST_F(HttpDrain, FinishesWhatItHasBegunAndRefusesTheRest) {
  EXPECT_TRUE(server_->ready());
  const std::uint16_t port = server_->port();
  Client running(port), queued(port), half_read(port), idle(port), silent(port);
  running.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(comes_true([&] { return gate_.waiting() == 1; }));
  queued.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(comes_true([&] { return server_->queue_length() == 1; }));
  half_read.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  ASSERT_TRUE(comes_true([&] { return server_->in_flight() == 3; }));
  EXPECT_EQ(idle.get("/nowhere").status, 404);
  ASSERT_TRUE(comes_true([&] { return server_->connections() == 5; }));

  drain(milliseconds(60'000));
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_FALSE(server_->ready());
  server_->set_ready(true);
  EXPECT_FALSE(server_->ready());
  EXPECT_TRUE(comes_true([&] { return !Client(port).connected(); }));
  EXPECT_FALSE(running.answered());
  half_read.send("def");
  gate_.open();
  const Reply last = running.read();
  EXPECT_EQ(last.body, "done");
  EXPECT_EQ(last.headers.at("Connection"), "close");
  EXPECT_EQ(queued.read().body, "done");
  EXPECT_EQ(half_read.read().body, "abcdef");
  // What was pipelined behind it was not begun.
  EXPECT_EQ(running.read().status, 0);
  draining_.join();
  EXPECT_TRUE(clean_);
  EXPECT_EQ(server_->connections(), 0U);
  EXPECT_EQ(server_->in_flight(), 0U);
}

TEST_F(HttpDrain, CutsOffWhatTakesTooLong) {
  Client running(server_->port()), queued(server_->port()), half(server_->port());
  running.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(comes_true([&] { return gate_.waiting() == 1; }));
  queued.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  half.send("GET /slow HT");
  ASSERT_TRUE(
      comes_true([&] { return server_->queue_length() == 1 && server_->connections() == 3; }));
  drain(milliseconds(20));
  // Clients are let go although the handler still runs.
  EXPECT_EQ(running.read().status, 0);
  EXPECT_EQ(queued.read().status, 0);
  EXPECT_EQ(half.read().status, 0);
  gate_.open();
  draining_.join();
  EXPECT_FALSE(clean_);
  EXPECT_EQ(server_->connections(), 0U);
  EXPECT_FALSE(server_->drain(milliseconds(0)));  // as it was
}

TEST_F(HttpDrain, LosesNoRequestThatItHasTaken) {
  // Clients ask again and again until they are turned away; each answer they get must be whole.
  std::atomic<int> answered = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&] {
      while (true) {
        Client client(server_->port());
        if (!client.connected()) return;
        for (int i = 0; i < 20; ++i) {
          const std::string body(static_cast<std::size_t>(1000 + i), 'x');
          const Reply reply = client.post("/echo", body);
          if (reply.status == 0) break;
          (reply.status == 200 && reply.body == body ? answered : wrong)++;
          if (reply.headers.at("Connection") == "close") break;
        }
      }
    });
  }
  ASSERT_TRUE(comes_true([&] { return answered > 200; }));
  EXPECT_TRUE(server_->drain(milliseconds(60'000)));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(HttpDrainEmpty, EndsAServerThatNeverStarted) {
  Server server({});
  EXPECT_TRUE(server.drain(milliseconds(0)));
  EXPECT_FALSE(server.ready());
  EXPECT_THROW(server.start(), Error);
}

}  // namespace
}  // namespace limber::http
