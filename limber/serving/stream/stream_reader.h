#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/serving/http/metrics.h"
#include "limber/serving/service/ranking_service.h"
#include "limber/serving/stream/event_source.h"

namespace limber {

struct StreamReaderOptions {
  std::size_t batch = 100;                        ///< events stored in one write
  std::size_t most_interactions = 1000;           ///< of an event
  std::size_t most_bytes = std::size_t{1} << 20;  ///< of an event
  std::chrono::milliseconds wait{500};            ///< for an event; bounds how long a stop takes
  std::chrono::milliseconds shortest_backoff{50}, longest_backoff{2000};
  std::chrono::milliseconds patience{2000};  ///< with a store, before others get the events
};

/// Applies the events of a stream to members, on a thread of its own: reads a batch, stores it in
/// one write, adapts its members, and acknowledges it. What fails is tried again until it works, so
/// that nothing is lost; what nobody could use is put aside with the reason. Each event is applied
/// once where it is delivered twice, because it has a name that the store knows (docs/streams.md).
class StreamReader {
 public:
  /// Adds its metrics to `metrics`, which must outlive it, as must the service.
  StreamReader(std::unique_ptr<EventSource> source, RankingService& service, http::Metrics& metrics,
               StreamReaderOptions options = {});
  ~StreamReader();
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  void start();

  /// Asks it to stop after the batch in hand. A batch that cannot be stored just now is left to be
  /// delivered again.
  void request_stop();

  /// The same, and waits until it has.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Outcomes {
    http::Metrics::Counter &stored, &duplicate, &expired, &dead, &lost;
  };
  struct Batch;

  void run();
  void handle(const std::vector<StreamEvent>& events);
  Batch parse(const std::vector<StreamEvent>& events) const;
  void store(Batch& batch);
  void count(const Batch& batch, const std::vector<AppendResult>& results);
  void put_aside(const StreamEvent& event, const std::string& reason);

  void store_one_by_one(Batch& batch);
  void try_store();

  /// Does `action` until it succeeds, with growing pauses. False when it was asked to stop before,
  /// or when the events in hand were left to others, which `may_give_up` allows.
  template <class Action>
  bool insist(std::string_view what, const Action& action, bool may_give_up = false);
  void failed(std::string_view what, std::string_view reason);
  void look_at_lag();
  /// Whether it was asked to stop, now or within that time.
  bool stopping(std::chrono::milliseconds within);

  std::unique_ptr<EventSource> source_;
  RankingService& service_;
  StreamReaderOptions options_;
  Outcomes outcomes_;
  http::Metrics::Counter& failures_;
  http::Metrics::Gauge& lag_;
  http::Metrics::Gauge& usable_;

  Clock::time_point next_lag_{}, next_word_{}, next_letter_{};
  std::int64_t silent_letters_ = 0;

  std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace limber
