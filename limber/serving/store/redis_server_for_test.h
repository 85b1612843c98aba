#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {

/// A redis-server of the test's own, on a free port, with its files in a temporary folder.
class RedisServerForTest {
 public:
  explicit RedisServerForTest(std::string password = "") : password_(std::move(password)) {
    // Another process may take a port between our finding it free and Redis' binding it.
    for (int attempt = 0; attempt < 5; ++attempt) {
      port_ = free_port();
      if (start()) return;
    }
    throw Error("redis-server does not start; is it installed (Debian: redis-server)?");
  }
  ~RedisServerForTest() { stop(); }
  RedisServerForTest(const RedisServerForTest&) = delete;
  RedisServerForTest& operator=(const RedisServerForTest&) = delete;

  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  /// Starts it (again) on its port. False when it does not answer.
  bool start() {
    std::vector<std::string> words = {"redis-server",
                                      "--port",
                                      std::to_string(port_),
                                      "--bind",
                                      "127.0.0.1",
                                      "--dir",
                                      folder_.path(),
                                      "--appendonly",
                                      "yes",
                                      "--appendfsync",
                                      "always",
                                      "--save",
                                      ""};
    if (!password_.empty()) words.insert(words.end(), {"--requirepass", password_});
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t silent;
    posix_spawn_file_actions_init(&silent);
    posix_spawn_file_actions_addopen(&silent, 1, "/dev/null", O_WRONLY, 0);
    const int failed =
        posix_spawnp(&process_, words[0].c_str(), &silent, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&silent);
    if (failed) {
      process_ = 0;
      return false;
    }
    for (int i = 0; i < 1000; ++i) {
      if (::waitpid(process_, nullptr, WNOHANG) == process_) {
        process_ = 0;
        return false;
      }
      if (answers()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    stop();
    return false;
  }

  void stop() { end_with(SIGTERM); }

  /// Stops answering without closing connections, as a machine does that is cut off; and back.
  void freeze() const { ::kill(process_, SIGSTOP); }
  void thaw() const { ::kill(process_, SIGCONT); }

  /// The reply's strings or numbers, as text. An error throws.
  std::vector<std::string> ask(const std::vector<std::string>& words) const {
    redisContext* context = redisConnect("127.0.0.1", port_);
    std::vector<const char*> starts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      starts.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto* reply = static_cast<redisReply*>(
        redisCommandArgv(context, static_cast<int>(words.size()), starts.data(), sizes.data()));
    std::vector<std::string> result;
    bool failed = !reply || reply->type == REDIS_REPLY_ERROR;
    const auto add = [&](const redisReply& one) {
      result.push_back(one.type == REDIS_REPLY_INTEGER ? std::to_string(one.integer)
                                                       : std::string(one.str, one.len));
    };
    if (!failed && reply->type == REDIS_REPLY_ARRAY) {
      for (std::size_t i = 0; i < reply->elements; ++i) add(*reply->element[i]);
    } else if (!failed) {
      add(*reply);
    }
    if (reply) freeReplyObject(reply);
    redisFree(context);
    if (failed) throw Error("redis-server refuses {}", words[0]);
    return result;
  }

 private:
  void end_with(int signal) {
    if (process_ == 0) return;
    ::kill(process_, SIGCONT);
    ::kill(process_, signal);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  bool answers() const {
    redisContext* context = redisConnect("127.0.0.1", port_);
    bool alive = false;
    if (context && !context->err) {
      if (auto* reply = static_cast<redisReply*>(redisCommand(context, "PING"))) {
        // While it reads its files it says LOADING; without the password it says NOAUTH.
        const std::string text(reply->str, reply->len);
        alive = text == "PONG" || text.starts_with("NOAUTH");
        freeReplyObject(reply);
      }
    }
    if (context) redisFree(context);
    return alive;
  }

  static int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      ::close(socket);
      throw Error("no free port on 127.0.0.1");
    }
    ::close(socket);
    return ntohs(address.sin_port);
  }

  TemporaryFolder folder_;
  std::string password_;
  int port_ = 0;
  pid_t process_ = 0;
};

}  // namespace limber
