// The parts of Connection that deal with its socket and its clock.
#include "limber/serving/http/connection.h"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

namespace limber::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// What is read and thrown away before a connection is closed, and how long that may take.
constexpr std::size_t kClosingBytes = 1 << 20;
constexpr std::chrono::seconds kClosingTime{2};
constexpr std::size_t kDiscardRead = 16 << 10;

auto into(error_code& code) {
  return asio::redirect_error(asio::use_awaitable, code);
}

}  // namespace

Connection::Awaitable<bool> Connection::shake_hands() {
  if (!tls_) co_return true;
  enter(Phase::kHandshake, Clock::now() + core_->options.header_time);
  error_code code;
  co_await tls_->async_handshake(asio::ssl::stream_base::server, into(code));
  broken_ = code || timed_out_;
  co_return !broken_;
}

Connection::Awaitable<bool> Connection::read_some(std::size_t most) {
  error_code code;
  const auto space = buffer_.prepare(most);
  std::size_t count = 0;
  if (tls_) {
    count = co_await tls_->async_read_some(space, into(code));
  } else {
    count = co_await socket_.async_read_some(space, into(code));
  }
  buffer_.commit(count);
  if (code && !timed_out_ && code != asio::error::operation_aborted) broken_ = true;
  co_return !code && !timed_out_;
}

Connection::Awaitable<bool> Connection::write(asio::const_buffer first, asio::const_buffer second) {
  error_code code;
  const std::array<asio::const_buffer, 2> both = {first, second};
  if (tls_) {
    co_await asio::async_write(*tls_, both, into(code));
  } else {
    co_await asio::async_write(socket_, both, into(code));
  }
  if (code || timed_out_) broken_ = true;
  co_return !broken_;
}

/// Says goodbye. What the client still sends is read for a moment: a socket closed over unread
/// bytes resets the connection, and the client may lose the answer that it has not read yet.
Connection::Awaitable<void> Connection::close() {
  if (broken_ || core_->cut_off) co_return;
  timed_out_ = false;
  enter(Phase::kClosing, Clock::now() + kClosingTime);
  error_code code;
  // Waits for the client's goodbye in turn; one that still sends is not waited for.
  if (tls_) co_await tls_->async_shutdown(into(code));
  socket_.shutdown(Tcp::socket::shutdown_send, code);
  std::size_t discarded = 0;
  while (unread_ && discarded < kClosingBytes && !timed_out_) {
    buffer_.clear();
    const std::size_t count =
        co_await socket_.async_read_some(buffer_.prepare(kDiscardRead), into(code));
    if (code) break;
    discarded += count;
  }
}

void Connection::enter(Phase phase, TimePoint deadline) {
  phase_ = phase;
  deadline_ = deadline;
  if (deadline < armed_) arm(deadline);
}

void Connection::arm(TimePoint when) {
  armed_ = when;
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](error_code code) {
    if (!code) self->on_timer();
  });
}

void Connection::on_timer() {
  armed_ = TimePoint::max();
  if (deadline_ == TimePoint::max()) return;
  if (Clock::now() < deadline_) return arm(deadline_);
  deadline_ = TimePoint::max();
  expire();
}

void Connection::expire() {
  error_code code;
  switch (phase_) {
    case Phase::kWaiting:
      switch (exchange_->expire()) {
        case Exchange::Expired::kInQueue:
          route_->metrics.shed(Shed::kExpired);
          expired_ = &core_->expired_in_queue;
          return resume();
        case Exchange::Expired::kRunning:
          expired_ = &core_->expired_running;
          return resume();
        case Exchange::Expired::kAnswered:
          return;  // the answer is on its way here
      }
      return;
    case Phase::kWriting:
      broken_ = true;
      timed_out_ = true;
      socket_.close(code);
      return;
    case Phase::kHandshake:
    case Phase::kIdle:
    case Phase::kHeader:
    case Phase::kBody:
    case Phase::kClosing:
      timed_out_ = true;
      socket_.cancel(code);
  }
}

}  // namespace limber::http
