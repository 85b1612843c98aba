// A hundred thousand malformed requests against a server that lives on.
#include <gtest/gtest.h>

#include "limber/core/base/random.h"
#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/json_reader.h"
#include "limber/serving/http/process_metrics.h"
#include "limber/serving/http/server.h"

namespace limber::http {
namespace {

using std::chrono::milliseconds;

// A sanitizer keeps freed memory back, and finds leaks by itself.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kMostGrowth = 300e6;
#else
constexpr double kMostGrowth = 8e6;
#endif

const std::vector<std::string>& valid_requests() {
  static const std::vector<std::string> all = {
      "GET /members/17?q=a%20b HTTP/1.1\r\nHost: test\r\nAccept: */*\r\n\r\n",
      "HEAD / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
      "POST /json HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
      "Content-Length: 42\r\n\r\n{\"items\": [{\"id\": \"a\", \"score\": 0.5e-3}]}\r\n",
      "POST /json HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\n[1,2,\r\n3\r\n 3]\r\n0\r\nT: x\r\n\r\n",
      "POST /json HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
      "GET / HTTP/1.0\r\nX-Request-Timeout-Ms: 1000\r\nIf-None-Match: \"a\"\r\n\r\n",
  };
  return all;
}

char random_byte(Random& random) {
  constexpr std::string_view kAwkward("\r\n:;, \t\0/%?{}[]\"09afx-+", 24);
  return random.below(2) == 0 ? kAwkward[random.below(kAwkward.size())]
                              : static_cast<char>(random.below(256));
}

std::string malformed(Random& random) {
  const std::vector<std::string>& valid = valid_requests();
  std::string bytes = valid[random.below(valid.size())];
  switch (random.below(6)) {
    case 0:  // cut short
      bytes.resize(random.below(bytes.size()));
      return bytes;
    case 1: {  // nothing but noise
      std::string noise(random.below(200), ' ');
      for (char& byte : noise) byte = random_byte(random);
      return noise;
    }
    case 2: {  // the head of one, the tail of another
      const std::string& other = valid[random.below(valid.size())];
      return bytes.substr(0, random.below(bytes.size())) + other.substr(random.below(other.size()));
    }
    case 3: {  // a piece many times
      const std::size_t begin = random.below(bytes.size());
      const std::string piece = bytes.substr(begin, 1 + random.below(20));
      for (std::uint64_t i = random.below(300); i > 0; --i) bytes.insert(begin, piece);
      return bytes;
    }
    default:  // some bytes changed, added, lost
      for (std::uint64_t i = 1 + random.below(6); i > 0 && !bytes.empty(); --i) {
        const std::size_t place = random.below(bytes.size());
        switch (random.below(3)) {
          case 0:
            bytes[place] = random_byte(random);
            break;
          case 1:
            bytes.insert(place, 1, random_byte(random));
            break;
          default:
            bytes.erase(place, 1 + random.below(4));
        }
      }
      return bytes;
  }
}

TEST(HttpSlow, LivesThroughAHundredThousandMalformedRequests) {
  ServerOptions options{.io_threads = 2, .workers = 2, .body_limit = 10'000};
  options.header_time = options.body_time = milliseconds(500);
  Server server(options);
  server.route("GET", "/", [](const Request&) { return Response::text("root"); });
  server.route("GET", "/members/{id}", [](const Request& request) {
    return Response::text(request.path_parameter("id") + request.query_parameter("q").value_or(""));
  });
  server.route("POST", "/json",
               [](const Request& request) {
                 read_json(request.body, [](JsonValue&) {});
                 return Response::json("{}");
               },
               {.consumes = "application/json"});
  server.start();

  constexpr int kRequests = 100'000, kThreads = 4;
  std::atomic<int> answers = 0, refusals = 0, wrong = 0;
  const auto fuzz = [&](int thread, int requests) {
    Random random(static_cast<std::uint64_t>(1000 + thread));
    for (int i = 0; i < requests;) {
      Client client(server.port());
      // Several behind one another: what is left of one is the beginning of the next.
      const int together = 1 + static_cast<int>(random.below(3));
      for (int j = 0; j < together; ++j, ++i) {
        if (!client.send(malformed(random))) break;
      }
      if (random.below(4) == 0) continue;  // gone without listening
      client.end_sending();
      while (true) {
        const Reply reply = client.read(true);
        if (reply.status == 0) break;
        ++answers;
        if (reply.status >= 400) ++refusals;
        // A handler that failed, or a worker that never answered, would be our fault. The reply's
        // body stays unread: it would be taken for a head, so one answer a connection is looked at.
        if (reply.status == 500 || reply.status == 504) ++wrong;
        break;
      }
    }
  };
  const auto fuzz_all = [&](int first, int requests) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(fuzz, first + i, requests / kThreads);
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(comes_true([&] { return server.connections() == 0 && server.in_flight() == 0; }));
  };
  fuzz_all(0, kRequests / 5);
  const double memory_before = resident_memory_bytes();
  fuzz_all(100, kRequests - kRequests / 5);
  const double memory_after = resident_memory_bytes();

  EXPECT_EQ(wrong, 0);
  EXPECT_GT(answers, kRequests / 10);
  EXPECT_GT(refusals, kRequests / 10);
  // Eighty thousand more leave nothing behind: even a hundred bytes each would be 8 MB.
  EXPECT_LT(memory_after - memory_before, kMostGrowth);
  Client client(server.port());
  EXPECT_EQ(client.get("/members/17?q=x").body, "17x");
  EXPECT_EQ(client.post("/json", "[1]").status, 200);
  EXPECT_TRUE(server.drain(milliseconds(60'000)));
}

}  // namespace
}  // namespace limber::http
