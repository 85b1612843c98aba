#include "limber/serving/stream/redis_source.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/serving/store/redis_server_for_test.h"

namespace limber {
namespace {

using std::chrono::milliseconds;

StreamAddress address_of(const RedisServerForTest& redis) {
  return StreamAddress::parse(redis.url() + "?stream=clicks&group=rankers");
}

std::string put(const RedisServerForTest& redis, const std::string& payload) {
  return redis.ask({"XADD", "clicks", "*", "event", payload}).front();
}

/// What came until `enough` has come, or 10 s have passed.
std::vector<StreamEvent> gather(EventSource& source, std::size_t enough) {
  std::vector<StreamEvent> events;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (events.size() < enough && std::chrono::steady_clock::now() < deadline) {
    try {
      const auto some = source.poll(100, milliseconds(100));
      events.insert(events.end(), some.begin(), some.end());
    } catch (const Error&) {
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  return events;
}

std::vector<std::string> payloads(const std::vector<StreamEvent>& events) {
  std::vector<std::string> texts;
  for (const StreamEvent& event : events) texts.push_back(event.payload);
  return texts;
}

TEST(RedisSource, DeliversInOrderAndNamesEvents) {
  RedisServerForTest redis;
  // Before the group is there: nothing is passed over.
  const std::string first = put(redis, "a");
  const auto source = open_event_source(address_of(redis), "one");
  put(redis, "b");
  redis.ask({"XADD", "clicks", "*", "body", "only field"});
  redis.ask({"XADD", "clicks", "*", "x", "1", "event", "c"});
  redis.ask({"XADD", "clicks", "*", "x", "1", "y", "\"2\""});
  EXPECT_EQ(source->lag(), 5);
  const auto events = gather(*source, 5);
  ASSERT_EQ(payloads(events),
            (std::vector<std::string>{"a", "b", "only field", "c", R"({"x":"1","y":"\"2\""})"}));
  EXPECT_EQ(events[0].position, first);
  EXPECT_EQ(events[0].event_id, "clicks/" + first);
  EXPECT_EQ(std::to_string(events[0].time_ms), first.substr(0, first.find('-')));
  EXPECT_EQ(events[3].problem, "");
  EXPECT_NE(events[4].problem, "");
  // Delivered, and waiting until they are acknowledged.
  EXPECT_EQ(source->lag(), 5);
  source->acknowledge(std::span(events).first(3));
  source->acknowledge(std::span(events).first(3));
  EXPECT_EQ(source->lag(), 2);
}

TEST(RedisSource, FindsItsOwnPendingEventsFirst) {
  RedisServerForTest redis;
  for (int i = 0; i < 7; ++i) put(redis, std::to_string(i));
  {
    const auto killed = open_event_source(address_of(redis), "one");
    EXPECT_EQ(gather(*killed, 7).size(), 7U);
  }
  put(redis, "new");
  const auto source = open_event_source(address_of(redis), "one");
  // In batches smaller than what is pending, and the last one only behind them.
  std::vector<std::string> texts;
  while (texts.size() < 8) {
    const auto some = source->poll(3, milliseconds(100));
    ASSERT_FALSE(some.empty());
    for (const StreamEvent& event : some) texts.push_back(event.payload);
    source->acknowledge(some);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "new"}));
  EXPECT_EQ(source->lag(), 0);
}

TEST(RedisSource, TakesOverWhatAnotherLeft) {
  RedisServerForTest redis;
  const auto gone = open_event_source(address_of(redis), "gone");
  const auto source = open_event_source(address_of(redis), "one");
  for (int i = 0; i < 300; ++i) put(redis, std::to_string(i));
  EXPECT_EQ(gather(*gone, 300).size(), 300U);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(source->poll(100, milliseconds(100)).empty()) << "taken from a server that is busy";
  const auto events = gather(*source, 300);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  const auto texts = payloads(events);
  EXPECT_EQ((std::set<std::string>(texts.begin(), texts.end()).size()), 300U);
  source->acknowledge(events);
  EXPECT_EQ(source->lag(), 0);
}

TEST(RedisSource, PutsADeadLetterAsideOnce) {
  RedisServerForTest redis;
  const auto source = open_event_source(address_of(redis), "one");
  const std::string id = put(redis, "poison");
  const auto events = gather(*source, 1);
  ASSERT_EQ(events.size(), 1U);
  source->put_aside(events[0], "no JSON");
  source->put_aside(events[0], "no JSON");
  source->acknowledge(events);
  EXPECT_EQ(source->lag(), 0);
  EXPECT_EQ(redis.ask({"XLEN", "clicks:dead"}), std::vector<std::string>{"1"});
  EXPECT_EQ(redis.ask({"EVAL", "return redis.call('XRANGE', 'clicks:dead', '-', '+')[1][2]", "0"}),
            (std::vector<std::string>{"id", id, "event_id", "clicks/" + id, "reason", "no JSON",
                                      "payload", "poison", "bytes", "6"}));
}

TEST(RedisSource, PassesOverWhatWasTrimmed) {
  RedisServerForTest redis;
  for (int i = 0; i < 3; ++i) put(redis, std::to_string(i));
  const auto source = open_event_source(address_of(redis), "one");
  EXPECT_EQ(gather(*source, 3).size(), 3U);
  const std::string id = put(redis, "new");
  redis.ask({"XTRIM", "clicks", "MAXLEN", "1"});
  const auto again = open_event_source(address_of(redis), "one");
  const auto events = gather(*again, 1);
  EXPECT_EQ(payloads(events), std::vector<std::string>{"new"});
  again->acknowledge(events);
  EXPECT_EQ(again->lag(), 0);
}

TEST(RedisSource, ComesBackWithRedis) {
  RedisServerForTest redis;
  const auto source = open_event_source(address_of(redis), "one");
  put(redis, "before");
  const auto before = gather(*source, 1);
  ASSERT_EQ(before.size(), 1U);
  redis.stop();
  EXPECT_THROW(source->acknowledge(before), Error);
  EXPECT_THROW(source->poll(10, milliseconds(10)), Error);
  EXPECT_THROW(source->lag(), Error);
  ASSERT_TRUE(redis.start());
  // What could not be acknowledged comes again, under the same name.
  const auto again = gather(*source, 1);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].event_id, before[0].event_id);
  source->acknowledge(again);
  // A Redis that lost everything: the group is made anew.
  redis.ask({"FLUSHALL"});
  put(redis, "after");
  EXPECT_EQ(payloads(gather(*source, 1)), std::vector<std::string>{"after"});
}

TEST(RedisSource, StartsWithoutRedis) {
  RedisServerForTest redis;
  redis.stop();
  const auto source = open_event_source(address_of(redis), "one");
  EXPECT_THROW(source->poll(10, milliseconds(10)), Error);
  ASSERT_TRUE(redis.start());
  put(redis, "a");
  EXPECT_EQ(payloads(gather(*source, 1)), std::vector<std::string>{"a"});
}

TEST(RedisSource, LeavesTheGroupOnlyWithEmptyHands) {
  RedisServerForTest redis;
  const auto consumers = [&] {
    return redis.ask({"EVAL", "return #redis.call('XINFO', 'CONSUMERS', 'clicks', 'rankers')", "0"})
        .front();
  };
  put(redis, "a");
  {
    const auto source = open_event_source(address_of(redis), "one");
    EXPECT_EQ(gather(*source, 1).size(), 1U);
  }
  EXPECT_EQ(consumers(), "1");
  {
    const auto source = open_event_source(address_of(redis), "one");
    source->acknowledge(gather(*source, 1));
  }
  EXPECT_EQ(consumers(), "0");
}

TEST(RedisSource, NamesWhatAUserCanMend) {
  RedisServerForTest redis("secret");
  const auto refusal = [&](const std::string& url) -> std::string {
    try {
      open_event_source(StreamAddress::parse(url), "one");
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const std::string place = "127.0.0.1:" + std::to_string(redis.port());
  EXPECT_NE(refusal("redis://:wrong@" + place + "?stream=s&group=g").find("another password"),
            std::string::npos);
  RedisServerForTest open;
  open.ask({"SET", "text", "x"});
  EXPECT_NE(refusal(open.url() + "?stream=text&group=g").find("holds something else"),
            std::string::npos);
}

}  // namespace
}  // namespace limber
