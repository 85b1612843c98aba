#pragma once

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "limber/serving/grpc/call_metrics.h"

namespace limber {

/// What the calls of one server share.
struct CallBoard {
  using Clock = std::chrono::steady_clock;

  explicit CallBoard(http::Metrics& registry) : metrics(registry) {}

  CallMetrics metrics;
  /// A call that is cancelled after this moment is cut off by the end of the server.
  std::atomic<Clock::time_point> cut_after = Clock::time_point::max();
  std::atomic<std::size_t> cut_off = 0;
  std::atomic<std::size_t> running = 0;  ///< calls that have begun and not ended
};

/// One call, from its arrival until gRPC is done with it; then it deletes itself.
class Call final : public grpc::ServerUnaryReactor {
 public:
  using Clock = CallBoard::Clock;

  Call(CallBoard& board, GrpcMethod method);

  /// Once, from any thread; after it the call may be gone at any moment.
  void answer(grpc::Status status);
  /// Whether somebody still waits for the answer.
  bool wanted() const { return !cancelled_.load(std::memory_order_relaxed); }
  Clock::time_point arrival() const { return arrival_; }

  // gRPC calls these.
  void OnCancel() override;
  void OnDone() override;

 private:
  ~Call() override = default;

  CallBoard& board_;
  const GrpcMethod method_;
  const Clock::time_point arrival_ = Clock::now();
  std::atomic<bool> cancelled_ = false;
  grpc::StatusCode code_ = grpc::StatusCode::UNKNOWN;  ///< set before Finish(), read in OnDone()
};

/// A status that says `text` in one line, shortened where it is long: it travels as a header, and
/// clients refuse long ones.
grpc::Status one_line_status(grpc::StatusCode code, std::string_view text);

}  // namespace limber
