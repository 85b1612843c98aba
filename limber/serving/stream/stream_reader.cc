#include "limber/serving/stream/stream_reader.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "limber/core/base/one_line.h"
#include "limber/serving/service/feedback_body.h"

namespace limber {

namespace {

/// Of the same failure, one line in the log for so long.
constexpr std::chrono::seconds kBetweenWords{10};
constexpr std::chrono::seconds kBetweenLags{1};
/// What a line of the log, and a dead letter, says of a reason.
constexpr std::size_t kLongestReason = 500;

http::Metrics::Counter& outcome(http::Metrics& metrics, const std::string& name) {
  return metrics.counter("limber_stream_events_total",
                         "Events of the stream, by what became of them", {{"outcome", name}});
}

}  // namespace

/// Events as what is to be stored of them.
struct StreamReader::Batch {
  std::vector<std::size_t> sizes;               ///< of each good event: its interactions
  std::vector<MemberInteraction> interactions;  ///< of all good events, in order
  std::vector<std::pair<const StreamEvent*, std::string>> bad;  ///< and why
};

StreamReader::StreamReader(std::unique_ptr<EventSource> source, RankingService& service,
                           http::Metrics& metrics, StreamReaderOptions options)
    : source_(std::move(source)),
      service_(service),
      options_(options),
      outcomes_{outcome(metrics, "stored"), outcome(metrics, "duplicate"),
                outcome(metrics, "expired"), outcome(metrics, "dead")},
      failures_(metrics.counter("limber_stream_failures_total",
                                "Failed tries to read the stream, to store its events, or to "
                                "acknowledge them")),
      lag_(metrics.gauge("limber_stream_lag", "Events of the stream that are not stored yet")),
      usable_(metrics.gauge("limber_stream_usable",
                            "1 while events are read and stored, 0 while that fails")) {
  usable_.Set(1);
}

StreamReader::~StreamReader() {
  stop();
}

void StreamReader::start() {
  thread_ = std::thread([this] { run(); });
}

void StreamReader::request_stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  stop_asked_.notify_all();
}

void StreamReader::stop() {
  request_stop();
  if (thread_.joinable()) thread_.join();
}

void StreamReader::run() {
  std::vector<StreamEvent> events;
  while (insist("read", [&] { events = source_->poll(options_.batch, options_.wait); })) {
    if (!events.empty()) handle(events);
    look_at_lag();
    if (stopping(std::chrono::milliseconds(0))) break;
  }
  // Leaves the group now, and not when the last request is answered: the others go on sooner.
  source_.reset();
}

void StreamReader::handle(const std::vector<StreamEvent>& events) {
  const Batch batch = parse(events);
  const auto aside = [&](const auto& bad) {
    return insist("put aside", [&] { put_aside(*bad.first, bad.second); });
  };
  if (insist("stored", [&] { store(batch); }) && std::ranges::all_of(batch.bad, aside) &&
      insist("acknowledged", [&] { source_->acknowledge(events); })) {
    return;
  }
  spdlog::warn("{}: {} events from {} on are left to be delivered again", source_->name(),
               events.size(), events.front().position);
}

StreamReader::Batch StreamReader::parse(const std::vector<StreamEvent>& events) const {
  Batch batch;
  const auto model = service_.host().current();
  for (const StreamEvent& event : events) {
    try {
      if (!event.problem.empty()) throw InputError("{}", event.problem);
      if (event.payload.size() > options_.most_bytes) {
        throw InputError("it has {} bytes; at most {} are read", event.payload.size(),
                         options_.most_bytes);
      }
      FeedbackBody body = read_feedback(service_, *model, event.payload, options_.most_interactions,
                                        {event.time_ms, event.event_id});
      MemberStore::check(body.interactions);
      batch.sizes.push_back(body.interactions.size());
      std::ranges::move(body.interactions, std::back_inserter(batch.interactions));
    } catch (const InputError& error) {
      batch.bad.emplace_back(&event, one_short_line(error.what(), kLongestReason));
    }
  }
  return batch;
}

void StreamReader::store(const Batch& batch) {
  if (batch.sizes.empty()) return;
  // A newer model may have come while the store was gone.
  const auto model = service_.host().current();
  const auto results = service_.feedback_of_many(*model, batch.interactions);
  std::size_t first = 0;
  for (const std::size_t size : batch.sizes) {
    const auto of_event = std::span(results).subspan(first, size);
    const auto any = [&](AppendOutcome what) {
      return std::ranges::any_of(of_event, [&](const auto& one) { return one.outcome == what; });
    };
    (any(AppendOutcome::kStored)      ? outcomes_.stored
     : any(AppendOutcome::kDuplicate) ? outcomes_.duplicate
                                      : outcomes_.expired)
        .Increment();
    first += size;
  }
}

void StreamReader::put_aside(const StreamEvent& event, const std::string& reason) {
  source_->put_aside(event, reason);
  outcomes_.dead.Increment();
  spdlog::warn("{}: event {} is a dead letter: {}", source_->name(), event.position, reason);
}

template <class Action>
bool StreamReader::insist(std::string_view what, const Action& action) {
  for (auto pause = options_.shortest_backoff;;
       pause = std::min(2 * pause, options_.longest_backoff)) {
    try {
      action();
      if (usable_.Value() == 0) spdlog::info("{}: events are {} again", source_->name(), what);
      usable_.Set(1);
      return true;
    } catch (const std::exception& error) {
      failed(what, error.what());
    }
    // While the store is gone the stream may be there: whoever watches the lag must see it grow.
    look_at_lag();
    if (stopping(pause)) return false;
  }
}

void StreamReader::failed(std::string_view what, std::string_view reason) {
  failures_.Increment();
  usable_.Set(0);
  const auto now = Clock::now();
  if (now < next_word_) return;
  next_word_ = now + kBetweenWords;
  spdlog::warn("{}: events are not {}: {}", source_->name(), what,
               one_short_line(reason, kLongestReason));
}

void StreamReader::look_at_lag() {
  const auto now = Clock::now();
  if (now < next_lag_) return;
  next_lag_ = now + kBetweenLags;
  try {
    lag_.Set(static_cast<double>(source_->lag()));
  } catch (const std::exception&) {
    // The stream cannot be reached, of which reading will tell. The last lag stands.
  }
}

bool StreamReader::stopping(std::chrono::milliseconds within) {
  std::unique_lock lock(mutex_);
  return stop_asked_.wait_for(lock, within, [&] { return stopping_; });
}

}  // namespace limber
