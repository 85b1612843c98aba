// What a server puts up with from its clients.
#include <gtest/gtest.h>

#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/prometheus_text_for_test.h"
#include "limber/serving/http/server.h"

namespace limber::http {
namespace {

using std::chrono::milliseconds;

class HttpLimits : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.workers = 1;
    server_.emplace(options);
    server_->route("GET", "/", [](const Request&) { return Response::text("ok"); });
    server_->route("POST", "/any", [](const Request& request) {
      return Response::text(std::to_string(request.body.size()));
    });
    server_->route("POST", "/json",
                   [](const Request& request) { return Response::text(std::string(request.body)); },
                   {.consumes = "application/json", .body_limit = 100'000});
    server_->start();
  }
  std::uint16_t port() const { return server_->port(); }
  /// The answer to a request that is the only one of its connection.
  Reply ask(const std::string& bytes) { return Client(port()).ask(bytes); }

  std::optional<Server> server_;
};

TEST_F(HttpLimits, RefusesHeadersThatAreTooLarge) {
  start({.header_limit = 2048});
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(1500, 'x') + "\r\n\r\n").status,
            200);
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(3000, 'x') + "\r\n\r\n").status,
            431);
  EXPECT_EQ(ask("GET /" + std::string(1'000'000, 'x')).status, 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 10'000; ++i) many += "A: b\r\n";
  EXPECT_EQ(ask(many).status, 431);
}

TEST_F(HttpLimits, RefusesBodiesThatAreTooLarge) {
  start({.body_limit = 1000, .body_memory = 200'000});
  Client client(port());
  EXPECT_EQ(client.post("/any", std::string(1000, 'x')).body, "1000");
  const Reply refused = client.post("/any", std::string(1001, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, R"({"error":"the body has 1001 bytes, and may have 1000"})");
  // Little enough to read and go on with.
  EXPECT_EQ(client.post("/any", "xyz").body, "3");
  EXPECT_EQ(client.post("/json", std::string(100'000, '1')).status, 200);
  // Too much for that: the answer comes, whole, before the body has been taken, and then the end.
  const Reply large = client.post("/any", std::string(900'000, 'x'));
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(large.headers.at("Connection"), "close");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(ask("POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999\r\n\r\n").status,
            413);
  EXPECT_EQ(ask("POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "300\r\n" +
                std::string(0x300, 'x') + "\r\n300\r\n" + std::string(0x300, 'x') + "\r\n0\r\n\r\n")
                .status,
            413);
  EXPECT_EQ(ask("POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "ffffffff\r\nxxx")
                .status,
            413);
}

TEST_F(HttpLimits, BoundsTheMemoryOfAllBodies) {
  start({.body_limit = 1000, .body_memory = 100'000});
  Client first(port()), second(port());
  first.send(
      "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 99990\r\n\r\nx");
  ASSERT_TRUE(comes_true([&] { return server_->in_flight() == 1; }));
  EXPECT_EQ(second.post("/any", std::string(100, 'x')).status, 503);
  EXPECT_EQ(second.get("/").status, 200);
  first.send(std::string(99989, 'x'));
  EXPECT_EQ(first.read().status, 200);
  ASSERT_TRUE(comes_true([&] { return server_->in_flight() == 0; }));
  EXPECT_EQ(second.post("/any", std::string(100, 'x')).status, 200);
  // A client that leaves gives its share back.
  first.send(
      "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 99990\r\n\r\nx");
  ASSERT_TRUE(comes_true([&] { return server_->in_flight() == 1; }));
  first.close();
  ASSERT_TRUE(comes_true([&] { return server_->in_flight() == 0; }));
}

TEST_F(HttpLimits, InsistsOnLengthAndType) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask("POST /json HTTP/1.1\r\nHost: a\r\n\r\n").status, 411);
  EXPECT_EQ(client.post("/json", "{}", "Content-Type: text/plain\r\n").status, 415);
  EXPECT_EQ(client.post("/json", "{}", "").status, 415);
  EXPECT_EQ(
      client.post("/json", "{}", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n")
          .status,
      415);
  EXPECT_EQ(client.post("/json", "{}", "Content-Type: Application/JSON ; charset=utf-8\r\n").status,
            200);
  EXPECT_EQ(client.ask("POST /any HTTP/1.1\r\nHost: a\r\n\r\n").body, "0");
}

TEST_F(HttpLimits, RefusesMalformedRequestsAndLivesOn) {
  start();
  for (const char* request :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n folded\r\nX\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        "POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
        "chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"}) {
    Client client(port());
    const Reply reply = client.ask(request);
    EXPECT_EQ(reply.status, 400) << request;
    EXPECT_TRUE(reply.body.starts_with("{\"error\":")) << request;
    EXPECT_TRUE(client.closed()) << request;
  }
  EXPECT_EQ(ask("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status, 505);
  for (const char* coding : {"gzip, chunked", "chunked, chunked", "xchunked", "identity"}) {
    const Reply reply = ask(fmt::format(
        "POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {}\r\n\r\n0\r\n\r\n", coding));
    EXPECT_TRUE(reply.status == 501 || reply.status == 400) << coding << " " << reply.status;
  }
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

TEST_F(HttpLimits, GivesLateClientsUp) {
  start({.header_time = milliseconds(300), .body_time = milliseconds(300)});
  Client slow(port());
  slow.send("GET / HTTP/1.1\r\nHost: a\r\n");
  // A byte now and then buys no time.
  std::thread drip([&] {
    for (int i = 0; i < 40 && slow.send("X"); ++i) std::this_thread::sleep_for(milliseconds(20));
  });
  EXPECT_EQ(slow.read().status, 408);
  drip.join();
  Client half(port());
  half.send("POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(half.read().status, 408);
  EXPECT_TRUE(half.closed());
  // The time begins anew with each request.
  Client steady(port());
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(150));
    EXPECT_EQ(steady.get("/").status, 200);
  }
}

TEST_F(HttpLimits, ClosesIdleConnectionsWithoutAWord) {
  start({.idle_time = milliseconds(100)});
  Client silent(port()), used(port());
  EXPECT_EQ(used.get("/").status, 200);
  EXPECT_TRUE(used.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(comes_true([&] { return server_->connections() == 0; }));
}

TEST_F(HttpLimits, GivesUpAClientThatDoesNotTakeItsAnswer) {
  ServerOptions options{.write_time = milliseconds(200)};
  server_.emplace(options);
  server_->route("GET", "/large",
                 [](const Request&) { return Response::text(std::string(64 << 20, 'x')); });
  server_->start();
  Client client(port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(comes_true([&] { return server_->connections() == 1; }));
  EXPECT_TRUE(comes_true([&] { return server_->connections() == 0; }));
  EXPECT_TRUE(comes_true([&] { return server_->in_flight() == 0; }));
}

TEST_F(HttpLimits, AnswersWhatAClientExpects) {
  start();
  Client client(port());
  client.send("POST /any HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  EXPECT_EQ(client.ask("abc").body, "3");
  // Refused before a byte of the body is sent.
  const Reply refused = client.ask(
      "POST /json HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(refused.status, 415);
  EXPECT_EQ(refused.headers.at("Connection"), "close");
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n").status, 417);
}

TEST_F(HttpLimits, SurvivesClientsThatLeave) {
  start();
  for (const char* part : {"", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                           "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"}) {
    for (const bool half_closed : {false, true}) {
      Client client(port());
      client.send(part);
      if (half_closed) client.end_sending();
    }
  }
  // One that has only ended its sending still gets its answer.
  Client client(port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.end_sending();
  EXPECT_EQ(client.read().body, "ok");
  client.close();
  EXPECT_TRUE(comes_true([&] { return server_->connections() == 0; }));
}

TEST_F(HttpLimits, HoldsThousandsOfIdleConnectionsAndNoMoreThanItMay) {
  constexpr std::size_t kMost = 2000;
  start({.most_connections = kMost});
  std::vector<Client> idle;
  for (std::size_t i = 0; i < kMost; ++i) idle.emplace_back(port());
  ASSERT_TRUE(comes_true([&] { return server_->connections() == kMost; }));
  const Reply refused = Client(port()).read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("Retry-After"), "1");
  EXPECT_EQ(server_->connections(), kMost);
  for (const std::size_t i : {std::size_t{0}, kMost / 2, kMost - 1}) {
    EXPECT_EQ(idle[i].get("/").status, 200);
  }
  idle.clear();
  ASSERT_TRUE(comes_true([&] { return server_->connections() == 0; }));
  EXPECT_EQ(Client(port()).get("/").status, 200);
  const PrometheusText text(server_->metrics().text());
  EXPECT_EQ(text.value("limber_http_connections_refused_total"), 1);
}

}  // namespace
}  // namespace limber::http
