#include "limber/serving/http/io_loop.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include "limber/serving/http/connection.h"

namespace limber::http {

void Mailbox::deliver(std::shared_ptr<HttpExchange> exchange) {
  const std::lock_guard lock(mutex_);
  if (io_ == nullptr) return;
  answered_.push_back(std::move(exchange));
  if (answered_.size() > 1) return;
  boost::asio::post(*io_, [self = shared_from_this()] { self->open(); });
}

void Mailbox::open() {
  std::vector<std::shared_ptr<HttpExchange>> answered;
  {
    const std::lock_guard lock(mutex_);
    answered.swap(answered_);
  }
  for (const std::shared_ptr<HttpExchange>& exchange : answered) exchange->arrived();
}

void Mailbox::close() {
  std::vector<std::shared_ptr<HttpExchange>> dropped;
  const std::lock_guard lock(mutex_);
  io_ = nullptr;
  dropped.swap(answered_);
}

IoLoop::~IoLoop() {
  join();
}

void IoLoop::start() {
  thread_ = std::thread([this] {
    while (true) {
      try {
        io.run();
        return;
      } catch (const std::exception& error) {
        // Out of memory, most likely: it has ended one connection, and need not end all.
        spdlog::error("http: {}", error.what());
      }
    }
  });
}

void IoLoop::join() {
  work_.reset();
  if (thread_.joinable()) thread_.join();
  mailbox->close();
}

}  // namespace limber::http
