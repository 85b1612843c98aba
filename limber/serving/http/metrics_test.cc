#include "limber/serving/http/metrics.h"

#include <gtest/gtest.h>

#include <thread>

#include "limber/core/base/error.h"
#include "limber/serving/http/prometheus_text_for_test.h"

namespace limber::http {
namespace {

TEST(Metrics, TextSaysWhatWasCounted) {
  Metrics metrics;
  Metrics::Counter& hits = metrics.counter("hits_total", "Hits.", {{"kind", "a \"b\"\\\n"}});
  metrics.counter("hits_total", "Hits.", {{"kind", "c"}}).Increment(2);
  metrics.gauge("level", "Level.").Set(-1.5);
  double asked = 7;
  metrics.gauge("asked", "Asked.", [&] { return asked; });
  Metrics::Histogram& times = metrics.histogram("seconds", "Times.", {0.1, 1});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        hits.Increment();
        times.Observe(j % 2 == 0 ? 0.05 : 0.5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const PrometheusText text(metrics.text());
  EXPECT_EQ(text.value("hits_total{kind=\"a \\\"b\\\"\\\\\\n\"}"), 4000);
  EXPECT_EQ(text.value("hits_total{kind=\"c\"}"), 2);
  EXPECT_EQ(text.value("level"), -1.5);
  EXPECT_EQ(text.value("asked"), 7);
  EXPECT_EQ(text.value("seconds_bucket{le=\"0.1\"}"), 2000);
  EXPECT_EQ(text.value("seconds_bucket{le=\"+Inf\"}"), 4000);
  EXPECT_NEAR(text.value("seconds_sum"), 2000 * 0.05 + 2000 * 0.5, 1e-6);
  asked = 8;
  EXPECT_EQ(PrometheusText(metrics.text()).value("asked"), 8);
}

TEST(Metrics, TheSameNameAndLabelsGiveTheSameHandle) {
  Metrics metrics;
  EXPECT_EQ(&metrics.counter("a_total", "A.", {{"x", "1"}}),
            &metrics.counter("a_total", "A.", {{"x", "1"}}));
  EXPECT_NE(&metrics.counter("a_total", "A.", {{"x", "1"}}),
            &metrics.counter("a_total", "A.", {{"x", "2"}}));
}

TEST(Metrics, RefusesANameThatAnotherKindBears) {
  Metrics metrics;
  metrics.counter("a_total", "A.");
  EXPECT_THROW(metrics.gauge("a_total", "A."), Error);
  EXPECT_THROW(metrics.counter("not a name", "A."), Error);
}

TEST(Metrics, TellsOfTheProcess) {
  Metrics metrics;
  const PrometheusText text(metrics.text());
  const double now = static_cast<double>(std::time(nullptr));
  EXPECT_GT(text.value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GE(text.value("process_cpu_seconds_total"), 0);
  EXPECT_LE(text.value("process_start_time_seconds"), now + 2);
  EXPECT_GT(text.value("process_start_time_seconds"), now - 24 * 3600);
}

}  // namespace
}  // namespace limber::http
