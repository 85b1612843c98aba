#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "limber/serving/http/request.h"

namespace limber::http {

/// What a server answered; status 0: nothing, the connection was closed.
struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names as sent
  std::string body;
};

/// A blocking client that sends any bytes at all. A test waits for no answer longer than half a
/// minute.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience = {.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(); }
  Client(Client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        connected_(other.connected_),
        bytes_(std::move(other.bytes_)) {}
  Client& operator=(Client&&) = delete;

  bool connected() const { return connected_; }
  int socket() const { return socket_; }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  /// False when the server has closed before all was sent.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  Reply ask(std::string_view bytes, bool head = false) {
    send(bytes);
    return read(head);
  }
  Reply get(const std::string& target) {
    return ask("GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
  }
  Reply post(const std::string& target, const std::string& body,
             const std::string& headers = "Content-Type: application/json\r\n") {
    return ask("POST " + target + " HTTP/1.1\r\nHost: test\r\n" + headers +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  /// The next response; `head`: it has no body, whatever its length says.
  Reply read(bool head = false) {
    Reply reply;
    std::size_t end = 0;
    while ((end = bytes_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return reply;
    }
    const std::string text = bytes_.substr(0, end + 2);
    bytes_.erase(0, end + 4);
    EXPECT_TRUE(text.starts_with("HTTP/1.1 ")) << text;
    reply.status = std::stoi(text.substr(9, 3));
    for (std::size_t at = text.find("\r\n") + 2; at < text.size();) {
      const std::size_t line_end = text.find("\r\n", at), colon = text.find(": ", at);
      reply.headers[text.substr(at, colon - at)] = text.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    if (reply.status == 100 || head || !reply.headers.contains("Content-Length")) return reply;
    const std::size_t length = std::stoul(reply.headers["Content-Length"]);
    while (bytes_.size() < length) {
      if (!more()) {
        ADD_FAILURE() << "the body was cut short";
        return {};
      }
    }
    reply.body = bytes_.substr(0, length);
    bytes_.erase(0, length);
    return reply;
  }

  /// Whether the server closes, in order, without another byte.
  bool closed() {
    char byte = 0;
    return bytes_.empty() && ::recv(socket_, &byte, 1, 0) == 0;
  }
  /// Whether an answer, or the end, is there already.
  bool answered() {
    pollfd state = {.fd = socket_, .events = POLLIN, .revents = 0};
    return !bytes_.empty() || ::poll(&state, 1, 0) > 0;
  }

 private:
  bool more() {
    char buffer[16384];
    const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    bytes_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string bytes_;
};

/// Waits for something that another thread brings about; false after half a minute.
inline bool comes_true(const std::function<bool()>& condition) {
  const TimePoint until = Clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace limber::http
