#include "limber/core/base/main.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include "limber/core/base/error.h"

namespace limber {
namespace {

constexpr int kFailure = 1;
constexpr int kInputFailure = 2;

/// Atomic, not sig_atomic_t: worker threads read it, too.
std::atomic<bool> stop_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler must not wait for a lock");

void request_stop(int) {
  stop_flag = true;
  // Either signal will kill from now on, whichever came first.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

void handle_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  stop_flag = false;
  struct sigaction action {};
  action.sa_handler = request_stop;
  // Interrupted reads and writes go on: libraries seldom expect them to fail. Waits (poll, sleep)
  // return all the same.
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) {
    // A shell starts background jobs, and nohup its program, with the signal ignored: left so.
    struct sigaction inherited {};
    if (sigaction(signal, nullptr, &inherited) == 0 && inherited.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
  }
}

void log_to_stderr() {
  auto logger =
      std::make_shared<spdlog::logger>("limber", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%H:%M:%S %l: %v");
  spdlog::set_default_logger(std::move(logger));
}

/// Not fmt::print, which throws where the reader of a pipe has gone.
int report(const char* message, int code) {
  spdlog::default_logger()->flush();
  std::fprintf(stderr, "error: %s\n", message);
  return code;
}

/// Whoever read our output has read enough, as `head` does.
bool is_closed_output(const std::system_error& error) {
  return error.code() == std::errc::broken_pipe &&
         (std::ferror(stdout) != 0 || std::ferror(stderr) != 0);
}

}  // namespace

int run_main(int argc, char** argv, const std::function<int(int, char**)>& body) {
  handle_signals();
  try {
    log_to_stderr();
    return body(argc, argv);
  } catch (const InputError& error) {
    return report(error.what(), kInputFailure);
  } catch (const std::system_error& error) {
    return is_closed_output(error) ? kFailure : report(error.what(), kFailure);
  } catch (const std::bad_alloc&) {
    return report("out of memory", kFailure);
  } catch (const std::exception& error) {
    return report(error.what(), kFailure);
  } catch (...) {
    return report("unknown failure", kFailure);
  }
}

bool stop_requested() {
  return stop_flag;
}

}  // namespace limber
