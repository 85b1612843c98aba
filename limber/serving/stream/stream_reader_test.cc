#include "limber/serving/stream/stream_reader.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>

#include "limber/serving/http/prometheus_text_for_test.h"
#include "limber/serving/service/service_for_test.h"
#include "limber/serving/store/forwarding_store_for_test.h"

namespace limber {
namespace {

using std::chrono::milliseconds;

/// A source whose events a test lays down, and which remembers what became of them. What was polled
/// and not acknowledged is delivered again after a poll that failed.
class FakeSource : public EventSource {
 public:
  struct State {
    std::mutex mutex;
    std::deque<StreamEvent> waiting;
    std::vector<std::string> acknowledged;
    std::map<std::string, std::string> dead;
    int failing_polls = 0, failing_acknowledgements = 0, failing_asides = 0;
    bool leaves = false;  ///< whether others get what is given up
    int given_up = 0;
    std::int64_t lost = 0;
  };
  explicit FakeSource(State& state) : state_(state) {}

  std::vector<StreamEvent> poll(std::size_t most, milliseconds timeout) override {
    {
      const std::scoped_lock lock(state_.mutex);
      fail_if(state_.failing_polls);
      if (!state_.waiting.empty()) {
        std::vector<StreamEvent> events;
        while (events.size() < most && !state_.waiting.empty()) {
          events.push_back(state_.waiting.front());
          state_.waiting.pop_front();
        }
        return events;
      }
    }
    std::this_thread::sleep_for(timeout);
    return {};
  }
  void acknowledge(std::span<const StreamEvent> events) override {
    const std::scoped_lock lock(state_.mutex);
    fail_if(state_.failing_acknowledgements);
    for (const StreamEvent& event : events) state_.acknowledged.push_back(event.position);
  }
  bool put_aside(const StreamEvent& event, std::string_view reason) override {
    const std::scoped_lock lock(state_.mutex);
    fail_if(state_.failing_asides);
    return state_.dead.emplace(event.position, reason).second;
  }
  bool give_up() override {
    const std::scoped_lock lock(state_.mutex);
    if (state_.leaves) ++state_.given_up;
    return state_.leaves;
  }
  std::int64_t take_lost() override {
    const std::scoped_lock lock(state_.mutex);
    return std::exchange(state_.lost, 0);
  }
  std::int64_t lag() override {
    const std::scoped_lock lock(state_.mutex);
    return std::ssize(state_.waiting) + 7;
  }
  std::string name() const override { return "fake"; }

 private:
  static void fail_if(int& left) {
    if (left == 0) return;
    --left;
    throw Error("the source is gone");
  }
  State& state_;
};

class FailingStore : public ForwardingStore {
 public:
  std::atomic<bool> failing = false;
  std::atomic<int> writes = 0;
  std::string refused;  ///< a member whose record is damaged

 protected:
  std::vector<AppendResult> do_append(std::span<const MemberInteraction> interactions) override {
    ++writes;
    if (failing) throw Error("the disk is full");
    for (const auto& one : interactions) {
      if (one.member == refused) throw Error("the record of {} is damaged", refused);
    }
    return ForwardingStore::do_append(interactions);
  }
};

StreamEvent event_of(const std::string& position, const std::string& payload) {
  return {position, payload, "", "s/" + position, 1000};
}

std::string click(const std::string& member, int item, const std::string& more = "") {
  return fmt::format(R"({{"member":"{}","interaction":{{"item":{},"click":1{}}}}})", member, item,
                     more);
}

class StreamReaderTest : public testing::Test {
 protected:
  StreamReaderTest() : personaliser_(store_, 100) {
    publish_test_model(folder_.path(), 1);
    host_.emplace(folder_.path() / "films", ServedModel::Options{}, personaliser_);
    service_.emplace(*host_, personaliser_);
  }

  void start(StreamReaderOptions options = {}) {
    options.wait = milliseconds(2);
    options.shortest_backoff = milliseconds(1);
    options.longest_backoff = milliseconds(10);
    reader_.emplace(std::make_unique<FakeSource>(source_), *service_, metrics_, options);
    reader_->start();
  }
  void put(const std::string& position, const std::string& payload) {
    const std::scoped_lock lock(source_.mutex);
    source_.waiting.push_back(event_of(position, payload));
  }
  static void wait_until(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  std::vector<std::string> acknowledged() {
    const std::scoped_lock lock(source_.mutex);
    return source_.acknowledged;
  }
  void wait_acknowledged(std::size_t count) {
    wait_until([&] { return acknowledged().size() >= count; });
  }
  double metric(const std::string& sample) const {
    return http::PrometheusText(metrics_.text()).value(sample);
  }
  double outcome(const std::string& name) const {
    return metric("limber_stream_events_total{outcome=\"" + name + "\"}");
  }

  TemporaryFolder folder_;
  FailingStore store_;
  Personaliser personaliser_;
  std::optional<ModelHost> host_;
  std::optional<RankingService> service_;
  FakeSource::State source_;
  http::Metrics metrics_;
  std::optional<StreamReader> reader_;
};

TEST_F(StreamReaderTest, AnEventMovesItsMemberAsFeedbackDoes) {
  const auto model = host_->current();
  const auto before = service_->member(*model, "ann");
  put("1-0", click("ann", 1));
  put("1-1", R"({"member":7,"interactions":[{"item":1,"click":1},{"item":2,"click":0}]})");
  start();
  wait_acknowledged(2);
  // What is in memory is fresh, too, as soon as it is adapted.
  wait_until([&] { return service_->member(*model, "ann")->sequence == 1; });
  EXPECT_NE(service_->member(*model, "ann")->vector.known, before->vector.known);
  const auto ann = store_.recent("ann", 10), seven = store_.recent("7", 10);
  ASSERT_EQ(ann.size(), 1U);
  EXPECT_EQ(ann[0].interaction.event_id, "s/1-0");
  EXPECT_EQ(ann[0].interaction.time_ms, 1000);
  ASSERT_EQ(seven.size(), 2U);
  EXPECT_EQ(seven[0].interaction.event_id, "s/1-1");
  EXPECT_EQ(seven[1].interaction.event_id, "s/1-1/1");
  EXPECT_EQ(outcome("stored"), 2);
  EXPECT_EQ(metric("limber_stream_lag"), 7);
  EXPECT_EQ(metric("limber_stream_usable"), 1);
  EXPECT_EQ(metric("limber_stream_failures_total"), 0);
}

TEST_F(StreamReaderTest, ABatchIsOneWrite) {
  for (int i = 0; i < 50; ++i) put(std::to_string(i), click("m" + std::to_string(i % 7), i));
  start();
  wait_acknowledged(50);
  EXPECT_EQ(store_.writes, 1);
}

TEST_F(StreamReaderTest, ARedeliveredEventIsAppliedOnce) {
  put("1-0", click("ann", 1));
  put("1-0", click("ann", 1));
  put("2-0", click("ann", 2, R"(,"event_id":"mine","time_ms":5)"));
  put("3-0", click("ann", 2, R"(,"event_id":"mine","time_ms":5)"));
  start();
  wait_acknowledged(4);
  EXPECT_EQ(store_.recent("ann", 10).size(), 2U);
  EXPECT_EQ(outcome("stored"), 2);
  EXPECT_EQ(outcome("duplicate"), 2);
}

TEST_F(StreamReaderTest, BadEventsAreDeadLettersAndTheRestGoesOn) {
  const std::string long_text(2000, 'x');
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "empty"},
      {"{", "not JSON"},
      {"\xff\xfe", "not JSON"},
      {"[1]", "expected an object"},
      {R"({"interaction":{"click":1}})", "\"member\" is missing"},
      {R"({"member":"ann"})", "\"interactions\" is missing"},
      {R"({"member":"ann","interactions":[]})", "\"interactions\" is missing"},
      {R"({"member":"ann","event":{}})", "event"},
      {R"({"member":"","interaction":{"click":1}})", "the value is missing"},
      {R"({"member":"ann","interaction":{"item":1}})", "no label can be told"},
      {R"({"member":"ann","interaction":{"item":1,"click":1,"price":"dear"}})", "price"},
      {R"({"member":"ann","interaction":{"item":{"a":1},"click":1}})", "item"},
      {R"({"member":"ann","interaction":{"click":1,"event_id":")" + long_text + "\"}}", "too long"},
      {R"({"member":")" + long_text + R"(","interaction":{"click":1}})", "too long"},
      {R"({"member":"ann","interaction":{"click":1,"time_ms":"now"}})", "time_ms"},
      {std::string(5000, ' '), "at most 4096"},
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    put("bad" + std::to_string(i), bad[i].first);
    put("good" + std::to_string(i), click("ann", static_cast<int>(i)));
  }
  {
    StreamEvent event = event_of("none", "{}");
    event.problem = "there is no payload";
    const std::scoped_lock lock(source_.mutex);
    source_.waiting.push_back(event);
  }
  StreamReaderOptions options;
  options.most_bytes = 4096;
  start(options);
  wait_acknowledged(2 * bad.size() + 1);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const std::string& reason = source_.dead["bad" + std::to_string(i)];
    EXPECT_NE(reason.find(bad[i].second), std::string::npos) << i << ": \"" << reason << '"';
    EXPECT_EQ(reason.find('\n'), std::string::npos);
  }
  EXPECT_EQ(source_.dead["none"], "there is no payload");
  EXPECT_EQ(source_.dead.size(), bad.size() + 1);
  EXPECT_EQ(store_.recent("ann", 100).size(), bad.size());
  EXPECT_EQ(outcome("dead"), static_cast<double>(bad.size() + 1));
  EXPECT_EQ(metric("limber_stream_failures_total"), 0);
}

TEST_F(StreamReaderTest, NothingIsAcknowledgedBeforeTheStoreHasIt) {
  store_.failing = true;
  put("1-0", click("ann", 1));
  start();
  wait_until([&] { return store_.writes >= 3; });
  EXPECT_TRUE(acknowledged().empty());
  EXPECT_EQ(metric("limber_stream_usable"), 0);
  EXPECT_GE(metric("limber_stream_failures_total"), 2);
  EXPECT_EQ(metric("limber_stream_lag"), 7) << "the lag must be told while the store is gone";
  store_.failing = false;
  wait_acknowledged(1);
  EXPECT_EQ(store_.recent("ann", 10).size(), 1U);
  EXPECT_EQ(metric("limber_stream_usable"), 1);
  EXPECT_EQ(outcome("stored"), 1);
}

TEST_F(StreamReaderTest, WhatCannotBeStoredIsLeftToOthersWhoWillHaveIt) {
  source_.leaves = true;
  store_.failing = true;
  put("1-0", click("ann", 1));
  StreamReaderOptions options;
  options.patience = milliseconds(20);
  start(options);
  wait_until([&] {
    const std::scoped_lock lock(source_.mutex);
    return source_.given_up >= 1;
  });
  store_.failing = false;
  put("2-0", click("ann", 2));
  wait_acknowledged(1);
  // The first is another server's now.
  EXPECT_EQ(acknowledged(), std::vector<std::string>{"2-0"});
  EXPECT_EQ(store_.recent("ann", 10).size(), 1U);
}

TEST_F(StreamReaderTest, ADamagedRecordStopsNobodyElse) {
  store_.refused = "bob";
  for (int i = 0; i < 9; ++i) {
    put(std::to_string(i), click(i % 3 == 1 ? "bob" : i % 3 == 0 ? "ann" : "eve", i));
  }
  start();
  wait_acknowledged(9);
  EXPECT_EQ(store_.recent("ann", 10).size(), 3U);
  EXPECT_EQ(store_.recent("eve", 10).size(), 3U);
  EXPECT_EQ(source_.dead.size(), 3U);
  EXPECT_NE(source_.dead["4"].find("the record of bob is damaged"), std::string::npos);
  EXPECT_EQ(outcome("stored"), 6);
  EXPECT_EQ(outcome("dead"), 3);
}

TEST_F(StreamReaderTest, ADamagedRecordThatComesAloneStopsNothing) {
  store_.refused = "bob";
  put("1-0", click("bob", 1));
  StreamReaderOptions options;
  options.batch = 1;
  options.patience = milliseconds(50);
  put("2-0", click("ann", 1));
  start(options);
  wait_acknowledged(2);
  EXPECT_EQ(source_.dead.size(), 1U);
  EXPECT_EQ(store_.recent("ann", 10).size(), 1U);
  EXPECT_TRUE(store_.recent("limber-probe", 10).empty());
}

TEST_F(StreamReaderTest, WhatTheStreamLostIsCounted) {
  source_.lost = 3;
  start();
  wait_until([&] { return outcome("lost") == 3; });
}

TEST_F(StreamReaderTest, ASourceThatFailsIsAskedAgain) {
  source_.failing_polls = 3;
  source_.failing_asides = 2;
  source_.failing_acknowledgements = 4;
  put("1-0", click("ann", 1));
  put("1-1", "poison");
  start();
  wait_acknowledged(2);
  EXPECT_EQ(metric("limber_stream_failures_total"), 9);
  EXPECT_EQ(outcome("stored"), 1);
  EXPECT_EQ(outcome("dead"), 1);
  EXPECT_EQ(outcome("duplicate"), 0);
}

TEST_F(StreamReaderTest, StopsWithTheBatchInHandDoneOrLeft) {
  for (int i = 0; i < 100; ++i) put(std::to_string(i), click("ann", i));
  StreamReaderOptions options;
  options.batch = 10;
  start(options);
  wait_acknowledged(10);
  reader_->stop();
  // Whole batches, and all of what is stored is acknowledged.
  EXPECT_EQ(acknowledged().size() % 10, 0U);
  EXPECT_EQ(store_.recent("ann", 1000).size(), acknowledged().size());
  reader_.reset();

  const std::size_t before = acknowledged().size();
  store_.failing = true;
  put("last", click("ann", 1));
  start(options);
  const int writes = store_.writes;
  wait_until([&] { return store_.writes > writes; });
  reader_->stop();
  EXPECT_EQ(acknowledged().size(), before) << "what the store never had was acknowledged";
}

}  // namespace
}  // namespace limber
