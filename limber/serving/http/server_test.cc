#include "limber/serving/http/server.h"

#include <gtest/gtest.h>

#include <thread>

#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/gate_for_test.h"
#include "limber/serving/http/prometheus_text_for_test.h"
#include "limber/serving/http/static_page.h"

namespace limber::http {
namespace {

/// Routes that say what they were given.
void add_routes(Server& server) {
  server.route("GET", "/health", [](const Request&) { return Response::text("ok"); },
               {.priority = Priority::kVital, .open = true});
  server.route("GET", "/members/{id}", [](const Request& request) {
    return Response::text(request.path_parameter("id") + "|" +
                          request.query_parameter("q").value_or("none"));
  });
  server.route("POST", "/echo", [](const Request& request) {
    return Response{.content_type = std::string(request.header("content-type")),
                    .body = std::string(request.body),
                    .headers = {{"X-Body", std::to_string(request.body.size())}}};
  });
  server.route("GET", "/fail/{how}", [](const Request& request) -> Response {
    const std::string how = request.path_parameter("how");
    if (how == "http") throw HttpError(409, "conflict with \"{}\"\xff", how);
    if (how == "input") throw InputError("your fault");
    if (how == "error") throw Error("a secret of ours");
    if (how == "odd") throw 17;
    return {.headers = {{"X-Good", "1"}, {"X-Bad", "a\r\nX-Injected: 1"}}};
  });
  server.route("GET", "/metrics", server.metrics().handler(), {.priority = Priority::kVital});
}

class HttpServer : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    if (options.workers == 0) options.workers = 2;
    server_.emplace(options);
    add_routes(*server_);
    server_->start();
  }
  std::uint16_t port() const { return server_->port(); }

  std::optional<Server> server_;
};

TEST_F(HttpServer, AnswersManyRequestsOfOneConnection) {
  start();
  Client client(port());
  for (int i = 0; i < 100; ++i) {
    const Reply reply = client.get("/members/a%2Fb" + std::to_string(i) + "?x=1&q=c+d%26");
    ASSERT_EQ(reply.status, 200);
    ASSERT_EQ(reply.body, "a/b" + std::to_string(i) + "|c d&");
    ASSERT_EQ(reply.headers.at("Connection"), "keep-alive");
    ASSERT_EQ(reply.headers.at("Date").size(), 29U);
  }
  const std::string body(300'000, 'x');
  const Reply echo = client.post("/echo", body);
  EXPECT_EQ(echo.body, body);
  EXPECT_EQ(echo.headers.at("Content-Type"), "application/json");
  EXPECT_EQ(echo.headers.at("X-Body"), "300000");
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  start();
  Client client(port());
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    // A bare line end before a request is passed over.
    requests += i % 3 == 0 ? "\r\n" : "";
    requests += i % 2 == 0
                    ? "GET /members/" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n"
                    : "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n" +
                          std::to_string(100 + i) + "\r\n0\r\n\r\n";
  }
  client.send(requests);
  for (int i = 0; i < 200; ++i) {
    const Reply reply = client.read();
    ASSERT_EQ(reply.status, 200) << i;
    ASSERT_EQ(reply.body, i % 2 == 0 ? std::to_string(i) + "|none" : std::to_string(100 + i));
  }
}

TEST_F(HttpServer, TakesARequestByteByByte) {
  start();
  Client client(port());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4;note=1\r\nabcd\r\n2\r\nef\r\n0\r\nTrailer: x\r\n\r\n";
  for (const char byte : request) {
    client.send({&byte, 1});
    std::this_thread::yield();
  }
  EXPECT_EQ(client.read().body, "abcdef");
}

TEST_F(HttpServer, ClosesWhenAskedAndForOldClients) {
  start();
  Client closing(port());
  EXPECT_EQ(closing.ask("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .headers.at("Connection"),
            "close");
  EXPECT_TRUE(closing.closed());
  Client old(port());
  EXPECT_EQ(old.ask("GET /health HTTP/1.0\r\n\r\n").body, "ok");
  EXPECT_TRUE(old.closed());
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  start();
  Client client(port());
  const Reply reply = client.ask("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("Content-Length"), "2");
  EXPECT_EQ(client.get("/health").body, "ok");
}

TEST_F(HttpServer, TakesAnAbsoluteTarget) {
  start();
  Client client(port());
  EXPECT_EQ(client.get("http://elsewhere/members/7?q=1").body, "7|1");
  EXPECT_EQ(client.get("http://elsewhere").status, 404);
  EXPECT_EQ(client.get("*").status, 404);
}

TEST_F(HttpServer, TellsOfPathsAndMethodsThatItDoesNotHave) {
  start();
  Client client(port());
  const Reply missing = client.get("/nowhere");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"error":"no such path"})");
  const Reply method = client.post("/members/1", "{}");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("Allow"), "GET, HEAD");
  EXPECT_EQ(client.get("/members/%f").status, 400);
  EXPECT_EQ(client.get("/health").status, 200);
}

TEST_F(HttpServer, TurnsWhatHandlersThrowIntoAnswers) {
  start();
  Client client(port());
  const Reply http = client.get("/fail/http");
  EXPECT_EQ(http.status, 409);
  EXPECT_EQ(http.body, "{\"error\":\"conflict with \\\"http\\\"\ufffd\"}");
  EXPECT_EQ(client.get("/fail/input").status, 400);
  for (const char* path : {"/fail/error", "/fail/odd"}) {
    const Reply reply = client.get(path);
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  }
  const Reply fine = client.get("/fail/not");
  EXPECT_EQ(fine.headers.count("X-Good"), 1U);
  EXPECT_EQ(fine.headers.count("X-Injected"), 0U);
}

TEST_F(HttpServer, LetsAHandlerAnswerLaterWithoutAWorker) {
  ServerOptions options;
  options.workers = 1;
  server_.emplace(options);
  add_routes(*server_);
  std::mutex mutex;
  std::vector<std::pair<const Request*, Responder>> waiting;
  server_->route_async("POST", "/later", [&](const Request& request, Responder responder) {
    const std::lock_guard lock(mutex);
    waiting.emplace_back(&request, std::move(responder));
  });
  server_->route_async("GET", "/never", [](const Request&, Responder) {});
  server_->route_async("GET", "/twice", [](const Request&, const Responder& responder) {
    responder.answer(Response::text("first"));
    EXPECT_FALSE(responder.wanted());
    responder.answer(Response::text("second"));
    throw InputError("too late to matter");
  });
  server_->start();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(port());
    clients.back().send("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n" +
                        std::to_string(10 + i));
  }
  ASSERT_TRUE(comes_true([&] {
    const std::lock_guard lock(mutex);
    return waiting.size() == 20;
  }));
  Client other(port());
  EXPECT_EQ(other.get("/members/1").status, 200);  // by the only worker
  EXPECT_EQ(other.get("/never").status, 500);
  EXPECT_EQ(other.get("/twice").body, "first");
  EXPECT_EQ(other.get("/members/1").status, 200);
  EXPECT_EQ(server_->in_flight(), 20U);
  std::thread commit([&] {
    const std::lock_guard lock(mutex);
    for (const auto& [request, responder] : waiting) {
      responder.answer(Response::text(std::string(request->body)));
    }
    waiting.clear();
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(clients[i].read().body, std::to_string(10 + i));
  commit.join();
  EXPECT_TRUE(comes_true([&] { return server_->in_flight() == 0; }));
}

TEST_F(HttpServer, MayBeAnsweredAfterItIsGone) {
  std::optional<Responder> kept;
  server_.emplace(ServerOptions{});
  server_->route_async("GET", "/later", [&](const Request&, Responder responder) {
    kept.emplace(std::move(responder));
  });
  server_->start();
  Client client(port());
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(comes_true([&] { return server_->in_flight() == 1; }));
  ASSERT_FALSE(server_->drain(std::chrono::milliseconds(50)));
  server_.reset();
  ASSERT_TRUE(kept.has_value());
  kept->answer(Response::text("nobody listens"));
  kept.reset();
}

TEST_F(HttpServer, AsksForTheTokenButOnOpenRoutes) {
  start({.token = "s3cret"});
  Client client(port());
  const auto with = [&](const std::string& authorization) {
    return client.ask("GET /members/1 HTTP/1.1\r\nHost: a\r\n" + authorization + "\r\n").status;
  };
  EXPECT_EQ(with("Authorization: Bearer s3cret\r\n"), 200);
  EXPECT_EQ(with("authorization: bearer s3cret\r\n"), 200);
  for (const char* wrong :
       {"", "Authorization: Bearer s3cre\r\n", "Authorization: Bearer s3crets\r\n",
        "Authorization: Bearer \r\n", "Authorization: Basic s3cret\r\n",
        "Authorization: s3cret\r\n", "Authorization: Bearer S3CRET\r\n"}) {
    EXPECT_EQ(with(wrong), 401) << wrong;
  }
  const Reply refused = client.get("/metrics");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.at("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(client.get("/nowhere").status, 401);  // nor does it tell which paths there are
  EXPECT_EQ(client.get("/health").status, 200);
}

TEST_F(HttpServer, CountsWhatItDoes) {
  start();
  Client client(port());
  for (int i = 0; i < 7; ++i) client.get("/members/" + std::to_string(i));
  client.get("/nowhere");
  client.get("/fail/input");
  const Reply reply = client.get("/metrics");
  EXPECT_EQ(reply.headers.at("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  const PrometheusText text(reply.body);
  EXPECT_EQ(text.value("limber_http_requests_total{method=\"GET\",route=\"/members/{id}\","
                       "status=\"200\"}"),
            7);
  EXPECT_EQ(
      text.value("limber_http_requests_total{method=\"GET\",route=\"/fail/{how}\",status=\"400\"}"),
      1);
  EXPECT_EQ(text.value("limber_http_requests_total{method=\"\",route=\"\",status=\"404\"}"), 1);
  EXPECT_EQ(text.value("limber_http_request_seconds_count{method=\"GET\",route=\"/members/{id}\"}"),
            7);
  EXPECT_EQ(text.value("limber_http_queue_seconds_count{method=\"GET\",route=\"/members/{id}\"}"),
            7);
  EXPECT_EQ(text.value("limber_http_connections"), 1);
  EXPECT_EQ(text.value("limber_http_connections_total"), 1);
  EXPECT_EQ(text.value("limber_http_queue_length"), 0);
  EXPECT_GE(text.value("limber_http_in_flight"), 1);
}

TEST_F(HttpServer, ServesPagesThatBrowsersNeedNotLoadTwice) {
  static constexpr std::string_view kPage = "<!doctype html><title>console</title>";
  server_.emplace(ServerOptions{});
  server_->route("GET", "/", static_page(kPage, "text/html; charset=utf-8", "default-src 'self'"));
  server_->start();
  Client client(port());
  const Reply page = client.get("/");
  EXPECT_EQ(page.body, kPage);
  EXPECT_EQ(page.headers.at("Content-Security-Policy"), "default-src 'self'");
  const std::string tag = page.headers.at("ETag");
  const auto again = [&](const std::string& tags) {
    return client.ask("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + tags + "\r\n\r\n");
  };
  for (const std::string& tags : {tag, "\"x\", W/" + tag, std::string("*")}) {
    const Reply unchanged = again(tags);
    EXPECT_EQ(unchanged.status, 304);
    EXPECT_EQ(unchanged.headers.at("ETag"), tag);
    EXPECT_EQ(unchanged.headers.count("Content-Length"), 0U);
  }
  EXPECT_EQ(again("\"x\"").status, 200);
}

TEST_F(HttpServer, ServesThreadsAtOnceOnSeveralIoThreads) {
  start({.io_threads = 3, .workers = 4, .most_wait = std::chrono::minutes(1)});
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int connection = 0; connection < 5; ++connection) {
        Client client(port());
        for (int i = 0; i < 40; ++i) {
          const std::string body = std::to_string(thread * 1000 + i);
          if (client.post("/echo", body).body == body) ++right;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 5 * 40);
}

TEST(ServerOptions, NamesWhatCannotBe) {
  const auto refused = [](ServerOptions options) {
    EXPECT_THROW(Server server(options), InputError);
  };
  refused({.io_threads = 0});
  refused({.queue_capacity = 0});
  refused({.most_connections = 0});
  refused({.body_limit = 2, .body_memory = 1});
  refused({.idle_time = std::chrono::milliseconds(0)});
  refused({.certificate = "a.pem"});
  refused({.certificate = "/nonexistent.pem", .key = "/nonexistent.key"});
  refused({.token = "two words"});
  Server nowhere({.address = "localhost"});
  EXPECT_THROW(nowhere.start(), InputError);
  Server first({});
  first.start();
  Server second({.port = first.port()});
  EXPECT_THROW(second.start(), InputError);
}

}  // namespace
}  // namespace limber::http
