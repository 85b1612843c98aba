#include "limber/serving/http/connection.h"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <limits>

#include "limber/serving/http/response_bytes.h"

namespace limber::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kFirstRead = 4 << 10, kBodyRead = 64 << 10;
/// A buffer that grew beyond this for one request is not kept for the next.
constexpr std::size_t kKeptBuffer = 16 << 10;
/// A body up to this is read and thrown away after a refusal, so that the connection may live on.
constexpr std::size_t kDiscardedBody = 64 << 10;
/// Up to this a body is copied behind its head and both are sent as one.
constexpr std::size_t kJoinedBody = 8 << 10;

}  // namespace

Connection::Connection(IoLoop& loop, Tcp::socket socket, std::shared_ptr<asio::ssl::context> tls,
                       std::shared_ptr<ServerCore> core, WorkerPool& pool)
    : loop_(loop),
      core_(std::move(core)),
      pool_(pool),
      socket_(std::move(socket)),
      tls_context_(std::move(tls)),
      timer_(loop.io) {
  if (tls_context_) tls_.emplace(socket_, *tls_context_);
}

Connection::~Connection() = default;

void Connection::start() {
  loop_.connections.insert(this);
  asio::co_spawn(
      loop_.io, [self = shared_from_this()] { return self->run(); }, asio::detached);
}

Connection::Awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  try {
    error_code code;
    socket_.set_option(Tcp::no_delay(true), code);
    bool alive = !core_->cut_off && co_await shake_hands();
    while (alive) alive = co_await serve_one();
    co_await close();
  } catch (const std::exception& error) {
    spdlog::error("http connection: {}", error.what());
  }
  error_code code;
  socket_.close(code);
  exchange_.reset();
  parser_.reset();
  phase_ = Phase::kClosing;
  deadline_ = TimePoint::max();
  timer_.cancel();
  loop_.connections.erase(this);
  core_->connection_closed();
}

Connection::Awaitable<bool> Connection::serve_one() {
  route_ = nullptr;
  is_head_ = false;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_->options.header_limit));
  // The limit is the route's, known only after the head. (Boost 1.74 takes `none` for zero.)
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
  if (!co_await read_header()) co_return false;

  if (const std::optional<Response> refusal = judge()) co_return co_await refuse(*refusal);
  // A large body is not read to be thrown away after it.
  const std::size_t reserve = body_reserve();
  std::optional<Shed> shed;
  if (reserve > kDiscardedBody) shed = pool_.refusal(*route_, head_.deadline);
  Admission admission;
  if (!shed) shed = Admission::take(core_, *route_, reserve, admission);
  if (shed) {
    route_->metrics.shed(*shed);
    co_return co_await refuse(*shed == Shed::kRouteFull ? core_->route_full : core_->busy);
  }
  if (!parser_->is_done()) {
    if (!head_.header("Expect").empty() && buffer_.size() == 0) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      enter(Phase::kWriting, Clock::now() + core_->options.write_time);
      if (!co_await write(asio::buffer(kContinue.data(), kContinue.size()), {})) co_return false;
    }
    if (!co_await read_body(*route_->options.body_limit)) co_return false;
  }
  co_return co_await serve(std::move(admission));
}

/// A bare line end may precede a request; old clients send one after a body.
static void skip_line_ends(boost::beast::flat_buffer& buffer) {
  while (buffer.size() >= 2) {
    const char* bytes = static_cast<const char*>(buffer.cdata().data());
    if (bytes[0] != '\r' || bytes[1] != '\n') return;
    buffer.consume(2);
  }
}

Connection::Awaitable<bool> Connection::read_header() {
  if (buffer_.size() == 0) {
    if (buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
    if (nothing_begun()) co_return false;
    enter(Phase::kIdle, Clock::now() + core_->options.idle_time);
    if (!co_await read_some(kFirstRead)) co_return false;
  }
  arrival_ = Clock::now();
  enter(Phase::kHeader, arrival_ + core_->options.header_time);
  bool begun = false;
  while (true) {
    if (!begun) skip_line_ends(buffer_);
    if (buffer_.size() > 0) {
      begun = true;
      error_code code;
      buffer_.consume(parser_->put(buffer_.cdata(), code));
      if (parser_->is_header_done()) co_return true;
      if (code == beast_http::error::header_limit) {
        co_return co_await fail(431, "the headers are larger than this server takes");
      }
      if (code == beast_http::error::bad_version) {
        co_return co_await fail(505, "this server speaks HTTP/1.1");
      }
      if (code && code != beast_http::error::need_more) {
        co_return co_await fail(400, "malformed request");
      }
    }
    if (!co_await read_some(kFirstRead)) {
      if (timed_out_) co_return co_await fail(408, "the headers took too long to come");
      co_return false;
    }
  }
}

Connection::Awaitable<bool> Connection::read_body(std::size_t limit) {
  enter(Phase::kBody, Clock::now() + core_->options.body_time);
  // With a length it was compared with the limit before; chunks are counted as they come.
  if (parser_->chunked()) parser_->body_limit(limit);
  parser_->eager(true);
  while (!parser_->is_done()) {
    if (buffer_.size() > 0) {
      error_code code;
      const std::size_t used = parser_->put(buffer_.cdata(), code);
      buffer_.consume(used);
      if (parser_->is_done()) break;
      if (code == beast_http::error::body_limit) {
        co_return co_await fail(413, "the body is larger than this server takes");
      }
      if (code && code != beast_http::error::need_more) {
        co_return co_await fail(400, "malformed body");
      }
      if (!code && used > 0) continue;
      // Chunk headers and trailers stay in the buffer until they are whole.
      if (buffer_.size() > core_->options.header_limit + kBodyRead) {
        co_return co_await fail(431,
                                "a chunk's header or the trailer is larger than this server takes");
      }
    }
    if (!co_await read_some(kBodyRead)) {
      if (timed_out_) co_return co_await fail(408, "the body took too long to come");
      co_return false;
    }
  }
  co_return true;
}

/// Answers without having read the body, and reads it, or closes, after it.
Connection::Awaitable<bool> Connection::refuse(const Response& response) {
  const auto length = parser_->content_length();
  const bool short_body = !parser_->chunked() && length && *length <= kDiscardedBody;
  if (!parser_->is_done()) {
    if (!short_body || !head_.header("Expect").empty()) {
      keep_alive_ = false;
      unread_ = true;
    } else if (!co_await read_body(kDiscardedBody)) {
      co_return false;
    }
  }
  co_return co_await respond(response);
}

/// What cannot be followed by another request on this connection.
Connection::Awaitable<bool> Connection::fail(unsigned status, const char* message) {
  keep_alive_ = false;
  unread_ = true;
  timed_out_ = false;
  co_await respond(error_response(status, message));
  co_return false;
}

Connection::Awaitable<bool> Connection::serve(Admission admission) {
  exchange_ = std::make_shared<HttpExchange>(parser_->release(), std::move(head_), *route_,
                                             std::move(admission), loop_.mailbox, weak_from_this());
  if (const std::optional<Shed> shed = pool_.submit(exchange_)) {
    exchange_.reset();
    route_->metrics.shed(*shed);
    co_return co_await respond(core_->busy);
  }
  expired_ = nullptr;
  enter(Phase::kWaiting, exchange_->request.deadline);
  co_await wait_for_answer();
  if (core_->cut_off) co_return false;
  // Before the client knows, so that its next request does not find its place taken. A handler that
  // still runs keeps it.
  if (expired_ == nullptr) exchange_->leave_place();
  const bool alive = co_await respond(expired_ != nullptr ? *expired_ : exchange_->response);
  exchange_.reset();
  co_return alive;
}

Connection::Awaitable<void> Connection::wait_for_answer() {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this](auto handler) { waiting_.emplace(std::move(handler)); }, asio::use_awaitable);
}

Connection::Awaitable<bool> Connection::respond(const Response& response) {
  if (core_->draining && keep_alive_) {
    // The client does not know yet, and may have sent its next request.
    keep_alive_ = false;
    unread_ = true;
  }
  enter(Phase::kWriting, Clock::now() + core_->options.write_time);
  write_head(response, keep_alive_, head_bytes_);
  std::string_view content = is_head_ || response.status == 204 || response.status == 304
                                 ? std::string_view()
                                 : response.content();
  if (content.size() <= kJoinedBody) {
    head_bytes_ += content;
    content = {};
  }
  const bool written =
      co_await write(asio::buffer(head_bytes_), asio::buffer(content.data(), content.size()));
  metrics().answered(response.status,
                     std::chrono::duration<double>(Clock::now() - arrival_).count());
  if (!written) co_return false;
  co_return keep_alive_;
}

bool Connection::nothing_begun() {
  error_code code;
  return core_->draining && buffer_.size() == 0 && socket_.available(code) == 0;
}

void Connection::drain() {
  if (phase_ == Phase::kIdle && nothing_begun()) {
    error_code code;
    socket_.cancel(code);
  }
}

void Connection::cut_off() {
  broken_ = true;
  error_code code;
  socket_.close(code);
  resume();
}

void Connection::on_answer(const HttpExchange& exchange) {
  if (exchange_.get() == &exchange) resume();
}

void Connection::resume() {
  if (!waiting_) return;
  Resume handler = std::move(*waiting_);
  waiting_.reset();
  handler();
}

RouteMetrics& Connection::metrics() {
  return route_ != nullptr ? route_->metrics : core_->unrouted;
}

HttpExchange::HttpExchange(Message&& message, Request&& head, Route& taken, Admission&& admission,
                           std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> connection)
    : message_(std::move(message)),
      admission_(std::move(admission)),
      mailbox_(std::move(mailbox)),
      connection_(std::move(connection)) {
  request = std::move(head);
  request.body = message_.body();
  route = &taken;
}

void HttpExchange::arrived() {
  if (const auto connection = connection_.lock()) connection->on_answer(*this);
}

}  // namespace limber::http
