#pragma once

// Boost 1.74's coroutines use std::exchange and forget to include it.
#include <utility>
//
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "limber/serving/http/io_loop.h"
#include "limber/serving/http/server_core.h"

namespace limber::http {

/// A request with the bytes that it looks into, and the way back to its connection.
class HttpExchange : public Exchange, public std::enable_shared_from_this<HttpExchange> {
 public:
  using Message = boost::beast::http::request<boost::beast::http::string_body>;

  HttpExchange(Message&& message, Request&& head, Route& taken, Admission&& admission,
               std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> connection);

  /// On the connection's thread: the response is there.
  void arrived();
  /// It is answered: its place may be another's, while its body is kept until nobody looks at it.
  void leave_place() { admission_.leave_place(); }

 private:
  void deliver() override { mailbox_->deliver(shared_from_this()); }

  Message message_;
  Admission admission_;
  std::shared_ptr<Mailbox> mailbox_;
  std::weak_ptr<Connection> connection_;
};

/// A client: reads its requests, one after the other, and writes the answers in that order. All of
/// it runs on its loop's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Tcp = boost::asio::ip::tcp;
  template <class T>
  using Awaitable = boost::asio::awaitable<T>;

  /// `tls` is none for plain HTTP. The pool must outlive the loop.
  Connection(IoLoop& loop, Tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> tls,
             std::shared_ptr<ServerCore> core, WorkerPool& pool);
  ~Connection();

  void start();
  /// Ends once it has answered what it has begun to read.
  void drain();
  /// Ends now.
  void cut_off();
  void on_answer(const HttpExchange& exchange);

 private:
  enum class Phase { kHandshake, kIdle, kHeader, kBody, kWaiting, kWriting, kClosing };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Resume = boost::asio::async_result<boost::asio::use_awaitable_t<>, void()>::handler_type;

  Awaitable<void> run();
  Awaitable<bool> shake_hands();
  Awaitable<bool> serve_one();
  Awaitable<bool> read_header();
  Awaitable<bool> read_body(std::size_t limit);
  Awaitable<bool> refuse(const Response& response);
  Awaitable<bool> serve(Admission admission);
  Awaitable<bool> respond(const Response& response);
  Awaitable<bool> fail(unsigned status, const char* message);
  Awaitable<bool> read_some(std::size_t most);
  Awaitable<bool> write(boost::asio::const_buffer first, boost::asio::const_buffer second);
  Awaitable<void> wait_for_answer();
  Awaitable<void> close();

  std::optional<Response> judge();
  std::optional<Response> judge_body();
  std::optional<Response> judge_deadline();
  std::size_t body_reserve() const;
  bool nothing_begun();
  RouteMetrics& metrics();

  void enter(Phase phase, TimePoint deadline);
  void arm(TimePoint when);
  void on_timer();
  void expire();
  void resume();

  IoLoop& loop_;
  const std::shared_ptr<ServerCore> core_;
  WorkerPool& pool_;
  Tcp::socket socket_;
  const std::shared_ptr<boost::asio::ssl::context> tls_context_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;

  // The request that is being served.
  Request head_;  ///< views into the parser's message, which keep their place when it is moved
  Route* route_ = nullptr;
  TimePoint arrival_;
  bool keep_alive_ = false, is_head_ = false;
  std::shared_ptr<HttpExchange> exchange_;
  std::optional<Resume> waiting_;
  const Response* expired_ = nullptr;  ///< the answer, when the deadline gave it

  // The clock. Moving the deadline on costs nothing: a timer that rings too early is set again.
  boost::asio::steady_timer timer_;
  Phase phase_ = Phase::kIdle;
  TimePoint deadline_ = TimePoint::max(), armed_ = TimePoint::max();
  bool timed_out_ = false;

  bool unread_ = false;  ///< the client may still be sending: closing at once would lose the answer
  bool broken_ = false;  ///< the stream failed; there is nobody to say goodbye to
  std::string head_bytes_;
};

}  // namespace limber::http
