#include "limber/core/base/main.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "limber/core/base/error.h"

namespace limber {
namespace {

struct Outcome {
  int status = 0;  ///< as waitpid gives it
  std::string standard_error;
};

/// Runs `body` under run_main in a process of its own: exit codes and signals are about processes.
Outcome run_in_child(const std::function<int(int, char**)>& body) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::alarm(20);  // a stop that never comes must not hang the test
    // Whatever the test program was started with, the child starts as from a terminal.
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    char name[] = "program", option[] = "--option";
    char* arguments[] = {name, option, nullptr};
    ::_exit(run_main(2, arguments, body));
  }
  ::close(ends[1]);
  Outcome outcome;
  char buffer[1024];
  for (ssize_t size; (size = ::read(ends[0], buffer, sizeof(buffer))) > 0;) {
    outcome.standard_error.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  ::waitpid(child, &outcome.status, 0);
  return outcome;
}

void expect_exit(const Outcome& outcome, int code, const std::string& standard_error) {
  ASSERT_TRUE(WIFEXITED(outcome.status));
  EXPECT_EQ(WEXITSTATUS(outcome.status), code);
  EXPECT_EQ(outcome.standard_error, standard_error);
}

TEST(RunMain, PassesArgumentsInAndTheCodeOut) {
  const auto body = [](int argc, char** argv) {
    return argc == 2 && std::string(argv[1]) == "--option" ? 7 : 0;
  };
  expect_exit(run_in_child(body), 7, "");
}

TEST(RunMain, EachFailureHasItsCodeAndLine) {
  expect_exit(run_in_child([](int, char**) -> int { throw InputError("{}: no such file", "a"); }),
              2, "error: a: no such file\n");
  expect_exit(run_in_child([](int, char**) -> int { throw Error("disk full: {}", "{}"); }), 1,
              "error: disk full: {}\n");
  expect_exit(run_in_child([](int, char**) -> int { throw std::runtime_error("broken"); }), 1,
              "error: broken\n");
  expect_exit(run_in_child([](int, char**) -> int { throw std::bad_alloc(); }), 1,
              "error: out of memory\n");
  expect_exit(run_in_child([](int, char**) -> int { throw 3; }), 1, "error: unknown failure\n");
}

TEST(RunMain, LogsPlainLinesToStandardError) {
  const Outcome outcome = run_in_child([](int, char**) {
    spdlog::info("{} rows", 3);
    spdlog::debug("hidden");
    spdlog::warn("slow");
    return 0;
  });
  ASSERT_EQ(outcome.standard_error.size(), std::string("hh:mm:ss info: 3 rows\n").size() +
                                               std::string("hh:mm:ss warning: slow\n").size());
  EXPECT_EQ(outcome.standard_error.substr(8, 14), " info: 3 rows\n");
  EXPECT_EQ(outcome.standard_error.substr(30), " warning: slow\n");
}

TEST(RunMain, AClosedPipeIsAnErrorNotADeath) {
  const Outcome outcome = run_in_child([](int, char**) {
    int ends[2];
    if (::pipe(ends) != 0) return 3;
    ::close(ends[0]);
    return ::write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 4;
  });
  expect_exit(outcome, 0, "");
}

TEST(RunMain, TheFirstSignalAsksForAStop) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Outcome outcome = run_in_child([signal](int, char**) {
      if (stop_requested()) return 3;
      ::raise(signal);
      return stop_requested() ? 0 : 4;
    });
    expect_exit(outcome, 0, "");
  }
}

TEST(RunMain, TheSecondSignalKills) {
  for (const int first : {SIGINT, SIGTERM}) {
    for (const int second : {SIGINT, SIGTERM}) {
      const Outcome outcome = run_in_child([=](int, char**) {
        ::raise(first);
        ::raise(second);
        return 0;
      });
      ASSERT_TRUE(WIFSIGNALED(outcome.status)) << first << " " << second;
      EXPECT_EQ(WTERMSIG(outcome.status), second);
    }
  }
}

TEST(RunMain, AnIgnoredSignalStaysIgnored) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGINT, SIG_IGN);  // as under `nohup` or `program &`
    ::_exit(run_main(0, nullptr, [](int, char**) {
      ::raise(SIGINT);
      return stop_requested() ? 4 : 0;
    }));
  }
  Outcome outcome;
  ::waitpid(child, &outcome.status, 0);
  expect_exit(outcome, 0, "");
}

TEST(RunMain, AStopIsSeenByOtherThreads) {
  const Outcome outcome = run_in_child([](int, char**) {
    std::thread worker([] {
      while (!stop_requested()) std::this_thread::yield();
    });
    ::raise(SIGTERM);
    worker.join();
    return 0;
  });
  expect_exit(outcome, 0, "");
}

}  // namespace
}  // namespace limber
