#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/serving/stream/stream_address.h"

namespace limber {

/// What a stream brought.
struct StreamEvent {
  std::string position;  ///< where it stands: "1700000000000-0", or "topic-PARTITION-OFFSET"
  std::string payload;   ///< the body that POST /feedback takes
  std::string problem;   ///< why there is no payload to be read; empty: there is one
  std::string event_id;  ///< names it where the payload does not; the same whenever it is delivered
  std::int64_t time_ms = 0;  ///< when it was put on the stream, in milliseconds since 1970
};

/// Where events come from, shared with the other members of a consumer group: each event is
/// delivered to one of them, and to another one unless it is acknowledged. Used by one thread. A
/// source that cannot be reached throws Error, from any function, and may be asked again: it
/// connects anew by itself.
class EventSource {
 public:
  EventSource() = default;
  virtual ~EventSource() = default;
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;

  /// The next events, at most `most`, in order; waits for the first up to about `timeout`. To be
  /// called when all that it returned before is acknowledged or given up.
  virtual std::vector<StreamEvent> poll(std::size_t most, std::chrono::milliseconds timeout) = 0;

  /// Events that need not be delivered again. Repeating it does no harm.
  virtual void acknowledge(std::span<const StreamEvent> events) = 0;

  /// Puts an event that nobody can use aside, with its position and the reason, where people look
  /// for it (docs/streams.md). It still has to be acknowledged. False where it was there already.
  virtual bool put_aside(const StreamEvent& event, std::string_view reason) = 0;

  /// Leaves the events that poll() returned last to the other members of the group, and the group
  /// to itself until the next poll(). False where others take over what is not acknowledged soon by
  /// themselves: then they stay in hand.
  virtual bool give_up() { return false; }

  /// Events that were gone from the stream before they were stored, since the last call.
  virtual std::int64_t take_lost() { return 0; }

  /// Events that wait: not delivered yet, or delivered and not acknowledged.
  virtual std::int64_t lag() = 0;

  /// "redis://host:6379/0 stream clicks", for messages; no password.
  virtual std::string name() const = 0;
};

/// The source at an address, as `consumer` of its group. Throws InputError that names the remedy
/// for what a user can mend (a refused password, a key that is no stream); one that cannot be
/// reached is no error here.
std::unique_ptr<EventSource> open_event_source(const StreamAddress& address,
                                               const std::string& consumer);

}  // namespace limber
