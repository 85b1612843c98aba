#include "limber/serving/stream/stream_reader.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <utility>

#include "limber/core/base/one_line.h"
#include "limber/serving/service/feedback_body.h"

namespace limber {

namespace {

/// Of the same failure, one line in the log for so long.
constexpr std::chrono::seconds kBetweenWords{10};
constexpr std::chrono::seconds kBetweenLags{1};
/// A question that takes long is asked less often: of the thread's time it may have this share.
constexpr int kShareOfLags = 10;
/// So many dead letters are told one by one in each of the intervals between words.
constexpr std::int64_t kLettersTold = 20;
/// After so many failures of a whole batch its events are tried one by one, each as often.
constexpr int kTries = 3;
/// What a line of the log, and a dead letter, says of a reason.
constexpr std::size_t kLongestReason = 500;

http::Metrics::Counter& outcome(http::Metrics& metrics, const std::string& name) {
  return metrics.counter("limber_stream_events_total",
                         "Events of the stream, by what became of them", {{"outcome", name}});
}

}  // namespace

/// Events as what is to be stored of them.
struct StreamReader::Batch {
  std::vector<const StreamEvent*> good;
  std::set<std::string> members;                ///< of the good events
  std::vector<std::size_t> sizes;               ///< of each good event: its interactions
  std::vector<MemberInteraction> interactions;  ///< of all good events, in order
  std::vector<std::pair<const StreamEvent*, std::string>> bad;  ///< and why
  int failures = 0;                                             ///< to store it
};

StreamReader::StreamReader(std::unique_ptr<EventSource> source, RankingService& service,
                           http::Metrics& metrics, StreamReaderOptions options)
    : source_(std::move(source)),
      service_(service),
      options_(options),
      outcomes_{outcome(metrics, "stored"), outcome(metrics, "duplicate"),
                outcome(metrics, "expired"), outcome(metrics, "dead"), outcome(metrics, "lost")},
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
    if (!events.empty()) insist("handled", [&] { handle(events); });
    outcomes_.lost.Increment(static_cast<double>(source_->take_lost()));
    look_at_lag();
    if (stopping(std::chrono::milliseconds(0))) break;
  }
  // Leaves the group now, and not when the last request is answered: the others go on sooner.
  source_.reset();
}

void StreamReader::handle(const std::vector<StreamEvent>& events) {
  Batch batch = parse(events);
  const auto aside = [&](const auto& bad) {
    return insist("put aside", [&] { put_aside(*bad.first, bad.second); });
  };
  if (insist(
          "stored", [&] { store(batch); }, /*may_give_up=*/true) &&
      std::ranges::all_of(batch.bad, aside) &&
      insist("acknowledged", [&] { source_->acknowledge(events); })) {
    // Only now: whoever waits longer than a server should need gets the events, too. A server that
    // is killed here leaves embeddings behind that do not know all; whoever ranks sees that.
    try {
      service_.adapt_members(*service_.host().current(), batch.members);
    } catch (const std::exception& error) {
      spdlog::warn("{}: members are not adapted yet: {}", source_->name(),
                   one_short_line(error.what(), kLongestReason));
    }
    return;
  }
  spdlog::warn("{}: {} events from {} on are left to be delivered again", source_->name(),
               events.size(), events.front().position);
  // Others have them now, or will. Not before the store works are there any more for us.
  insist("stored", [&] {
    const StoreHealth health = service_.personaliser().store().health();
    if (!health.usable) throw Error("{}", health.reason);
  });
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
      batch.good.push_back(&event);
      batch.members.insert(body.member);
      batch.sizes.push_back(body.interactions.size());
      std::ranges::move(body.interactions, std::back_inserter(batch.interactions));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      // Whatever an event does to those who read it, it does to all: it is kept, with the reason.
      batch.bad.emplace_back(&event, one_short_line(error.what(), kLongestReason));
    }
  }
  return batch;
}

void StreamReader::store(Batch& batch) {
  if (batch.sizes.empty()) return;
  try {
    count(batch, service_.store(batch.interactions));
  } catch (const Error&) {
    if (++batch.failures < kTries) throw;
    store_one_by_one(batch);
  }
}

/// One member's damaged record must not keep the others' events waiting, nor those after them.
void StreamReader::store_one_by_one(Batch& batch) {
  std::vector<std::pair<const StreamEvent*, std::string>> refused;
  bool takes_any = false;
  std::size_t first = 0;
  for (std::size_t e = 0; e < batch.good.size(); ++e) {
    const auto begin = batch.interactions.begin() + static_cast<std::ptrdiff_t>(first);
    Batch one;
    one.sizes = {batch.sizes[e]};
    one.interactions.assign(begin, begin + static_cast<std::ptrdiff_t>(batch.sizes[e]));
    first += batch.sizes[e];
    for (int tries = 1;; ++tries) {
      try {
        count(one, service_.store(one.interactions));
        takes_any = true;
        break;
      } catch (const Error& error) {
        // A store that is gone for a moment, or does not answer in time, is not one that refuses.
        if (!service_.personaliser().store().health().usable || stopping(options_.patience / 10)) {
          throw;
        }
        if (tries < kTries) continue;
        refused.emplace_back(batch.good[e], error.what());
        break;
      }
    }
  }
  if (!takes_any) try_store();
  batch.good.clear();
  batch.sizes.clear();
  batch.interactions.clear();
  // Thrice, while the store was well and took others.
  for (const auto& [event, reason] : refused) {
    batch.bad.emplace_back(event,
                           "the store does not take it: " + one_short_line(reason, kLongestReason));
  }
}

/// Throws where the store takes nothing at all.
void StreamReader::try_store() {
  const std::string nobody = "limber-probe";
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  service_.store({{nobody, {now.count(), nobody, "{}"}}});
  service_.personaliser().forget(nobody);
}

void StreamReader::count(const Batch& batch, const std::vector<AppendResult>& results) {
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
  if (!source_->put_aside(event, reason)) return;
  outcomes_.dead.Increment();
  // A broken sender must not fill the disk that the log is on.
  if (Clock::now() >= next_letter_) {
    if (silent_letters_ > kLettersTold) {
      spdlog::warn("{}: {} more events are dead letters", source_->name(),
                   silent_letters_ - kLettersTold);
    }
    next_letter_ = Clock::now() + kBetweenWords;
    silent_letters_ = 0;
  }
  if (++silent_letters_ > kLettersTold) return;
  spdlog::warn("{}: event {} is a dead letter: {}", source_->name(), event.position, reason);
}

template <class Action>
bool StreamReader::insist(std::string_view what, const Action& action, bool may_give_up) {
  const auto begin = Clock::now();
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
    if (may_give_up && Clock::now() - begin > options_.patience && source_->give_up()) {
      return false;
    }
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
  try {
    lag_.Set(static_cast<double>(source_->lag()));
  } catch (const std::exception&) {
    // The stream cannot be reached, of which reading will tell. The last lag stands.
  }
  const auto after = Clock::now();
  next_lag_ = after + std::max<Clock::duration>(kBetweenLags, kShareOfLags * (after - now));
}

bool StreamReader::stopping(std::chrono::milliseconds within) {
  std::unique_lock lock(mutex_);
  return stop_asked_.wait_for(lock, within, [&] { return stopping_; });
}

}  // namespace limber
