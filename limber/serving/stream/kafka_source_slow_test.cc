#include "limber/serving/stream/kafka_source.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/serving/http/metrics.h"
#include "limber/serving/service/service_for_test.h"
#include "limber/serving/stream/kafka_cluster_for_test.h"
#include "limber/serving/stream/stream_reader.h"

namespace limber {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

std::unique_ptr<EventSource> open(const KafkaClusterForTest& kafka, const std::string& consumer,
                                  const std::string& topic = "clicks") {
  return open_event_source(
      StreamAddress::parse("kafka://" + kafka.brokers() + "/" + topic + "?group=rankers"),
      consumer);
}

/// What came until `enough` has come, or 30 s have passed.
std::vector<StreamEvent> gather(EventSource& source, std::size_t enough) {
  std::vector<StreamEvent> events;
  const auto deadline = Clock::now() + seconds(30);
  while (events.size() < enough && Clock::now() < deadline) {
    try {
      const auto some = source.poll(100, milliseconds(100));
      events.insert(events.end(), some.begin(), some.end());
    } catch (const Error&) {
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  return events;
}

std::set<std::string> payloads(const std::vector<StreamEvent>& events) {
  std::set<std::string> texts;
  for (const StreamEvent& event : events) texts.insert(event.payload);
  return texts;
}

TEST(SlowKafkaSource, DeliversFromTheBeginningAndNamesEvents) {
  KafkaClusterForTest kafka(1);
  for (const char* text : {"a", "b", "c"}) kafka.put(text);
  const auto source = open(kafka, "one");
  const auto events = gather(*source, 3);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].payload, "a");
  EXPECT_EQ(events[2].payload, "c");
  EXPECT_EQ(events[2].position, "clicks-0-2");
  EXPECT_EQ(events[2].event_id, fmt::format("clicks-0-2@{}", events[2].time_ms));
  EXPECT_GT(events[0].time_ms, std::int64_t{1'600'000'000'000});
  EXPECT_EQ(source->lag(), 3);
  source->acknowledge(std::span(events).first(2));
  EXPECT_EQ(source->lag(), 1);
  source->acknowledge(std::span(events).last(1));
  EXPECT_EQ(source->lag(), 0);
}

TEST(SlowKafkaSource, WhatWasNotAcknowledgedComesAgain) {
  KafkaClusterForTest kafka(1);
  for (int i = 0; i < 10; ++i) kafka.put(std::to_string(i));
  {
    const auto source = open(kafka, "one");
    const auto events = gather(*source, 10);
    ASSERT_EQ(events.size(), 10U);
    source->acknowledge(std::span(events).first(4));
  }
  const auto source = open(kafka, "one");
  const auto events = gather(*source, 6);
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(events[0].position, "clicks-0-4");
  EXPECT_EQ(events[0].payload, "4");
}

TEST(SlowKafkaSource, PartitionsMoveToWhoIsLeft) {
  KafkaClusterForTest kafka(4);
  auto one = open(kafka, "one"), other = open(kafka, "other");
  std::map<std::string, int> seen;
  int from_one = 0, from_other = 0, put = 0;
  const auto take = [&](EventSource& source) {
    const auto events = source.poll(100, milliseconds(20));
    for (const StreamEvent& event : events) ++seen[event.payload];
    source.acknowledge(events);
    return static_cast<int>(events.size());
  };
  const auto until = [&](const std::function<bool()>& holds) {
    const auto deadline = Clock::now() + seconds(30);
    while (!holds() && Clock::now() < deadline) {
      if (put < 400) kafka.put(std::to_string(put++));
      if (one) from_one += take(*one);
      if (other) from_other += take(*other);
    }
    EXPECT_TRUE(holds());
  };
  until([&] { return from_one > 5 && from_other > 5; });
  one.reset();
  until([&] { return put == 400 && std::ssize(seen) == 400; });
  EXPECT_EQ(other->lag(), 0);
}

TEST(SlowKafkaSource, ComesBackWithTheBroker) {
  KafkaClusterForTest kafka(1);
  const auto source = open(kafka, "one");
  kafka.put("before");
  const auto before = gather(*source, 1);
  ASSERT_EQ(before.size(), 1U);
  kafka.set_down(true);
  EXPECT_THROW(source->acknowledge(before), Error);
  bool failed = false;
  for (const auto deadline = Clock::now() + seconds(20); !failed && Clock::now() < deadline;) {
    try {
      source->poll(10, milliseconds(100));
    } catch (const Error&) {
      failed = true;
    }
  }
  EXPECT_TRUE(failed) << "nothing tells that the broker is gone";
  kafka.set_down(false);
  bool acknowledged = false;
  for (const auto deadline = Clock::now() + seconds(20);
       !acknowledged && Clock::now() < deadline;) {
    try {
      source->acknowledge(before);
      acknowledged = true;
    } catch (const Error&) {
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  EXPECT_TRUE(acknowledged);
  kafka.put("after");
  // The group may have gone on meanwhile; then what was not acknowledged comes again.
  std::set<std::string> texts;
  for (const auto deadline = Clock::now() + seconds(30);
       !texts.contains("after") && Clock::now() < deadline;) {
    texts.merge(payloads(gather(*source, 1)));
  }
  EXPECT_TRUE(texts.contains("after"));
}

TEST(SlowKafkaSource, PartitionsThatAreLostAreNoFailure) {
  KafkaClusterForTest kafka(1);
  const auto source = open(kafka, "one");
  kafka.put("a");
  const auto events = gather(*source, 1);
  kafka.fail_next(KafkaClusterForTest::kCommit, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
  source->acknowledge(events);
  kafka.fail_next(KafkaClusterForTest::kCommit, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  EXPECT_THROW(source->acknowledge(events), Error);
}

TEST(SlowKafkaSource, StartsWithoutABroker) {
  KafkaClusterForTest kafka(1);
  kafka.put("a");
  kafka.set_down(true);
  const auto source = open(kafka, "one");
  bool failed = false;
  for (int i = 0; i < 100 && !failed; ++i) {
    try {
      source->poll(10, milliseconds(100));
    } catch (const Error&) {
      failed = true;
    }
  }
  EXPECT_TRUE(failed);
  kafka.set_down(false);
  EXPECT_EQ(payloads(gather(*source, 1)), std::set<std::string>{"a"});
}

// The reader on a real source: events, a poisoned one among them, while the broker goes and comes.
TEST(SlowKafkaSource, EachEventIsStoredOnce) {
  KafkaClusterForTest kafka(2);
  ServiceForTest test;
  http::Metrics metrics;
  const auto click = [](int i) {
    return fmt::format(R"({{"member":"m{}","interaction":{{"item":{},"click":1}}}})", i % 5, i);
  };
  StreamReader reader(open(kafka, "one"), *test.service, metrics);
  reader.start();
  for (int i = 0; i < 30; ++i) kafka.put(i == 7 ? "poison" : click(i));
  std::this_thread::sleep_for(seconds(4));
  kafka.set_down(true);
  std::this_thread::sleep_for(seconds(1));
  kafka.set_down(false);
  for (int i = 30; i < 60; ++i) kafka.put(click(i));
  std::set<std::string> names;
  std::size_t stored = 0;
  const auto look = [&] {
    names.clear();
    stored = 0;
    for (int m = 0; m < 5; ++m) {
      for (const auto& one : test.store->recent("m" + std::to_string(m), 1000)) {
        names.insert(one.interaction.event_id);
        ++stored;
      }
    }
    return names.size();
  };
  for (const auto deadline = Clock::now() + seconds(40); look() < 59 && Clock::now() < deadline;) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  reader.stop();
  EXPECT_EQ(look(), 59U);
  EXPECT_EQ(stored, 59U);
  EXPECT_EQ(kafka.dead_letter().front(), "poison");
}

}  // namespace
}  // namespace limber
