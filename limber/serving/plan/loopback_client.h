#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstdint>
#include <string>

namespace limber {

/// One connection to a server on this machine, kept open; a request at a time.
class LoopbackClient {
 public:
  /// Throws Error when nobody listens.
  explicit LoopbackClient(std::uint16_t port);
  /// POSTs JSON and waits for the answer. Throws Error with it unless it is 200.
  void post(const std::string& target, const std::string& body);

 private:
  boost::asio::io_context context_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace limber
