#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

namespace limber::http {

class Connection;
class HttpExchange;

/// The way of answers from any thread to the one that owns the connection. It outlives the loop:
/// what comes after that is dropped.
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(boost::asio::io_context& io) : io_(&io) {}

  void deliver(std::shared_ptr<HttpExchange> exchange);
  void close();

 private:
  void open();

  std::mutex mutex_;
  boost::asio::io_context* io_;                          ///< none once closed
  std::vector<std::shared_ptr<HttpExchange>> answered_;  ///< many share one wake-up
};

/// A thread that reads and writes, and the connections that are its own.
class IoLoop {
 public:
  IoLoop() : mailbox(std::make_shared<Mailbox>(io)), work_(io.get_executor()) {}
  ~IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  void start();
  /// Returns when the last connection has ended; nothing is delivered after it.
  void join();

  boost::asio::io_context io{1};
  const std::shared_ptr<Mailbox> mailbox;
  std::unordered_set<Connection*> connections;  ///< the loop's thread only

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace limber::http
