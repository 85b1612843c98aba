// A server that is killed while it appends loses nothing that it has acknowledged.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/serving/store/member_store.h"

namespace limber {
namespace {

constexpr char kFolderVariable[] = "LIMBER_TEST_STORE_TO_APPEND_TO";
constexpr int kThreads = 4;

/// Appends until killed; prints each acknowledged "member sequence body" as one write.
[[noreturn]] void append_for_ever(const char* folder) {
  StoreOptions options;
  options.most_interactions = 1'000'000;
  options.write_buffer_bytes = 256 << 10;  // Small, so that tables are written meanwhile.
  const auto store = open_member_store(std::string("rocksdb:") + folder, options);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0;; ++i) {
        const std::string member = "m" + std::to_string((i + static_cast<std::uint64_t>(t)) % 3);
        const std::string body =
            std::to_string(::getpid()) + "-" + std::to_string(t) + "-" + std::to_string(i);
        const AppendResult result = store->append(member, {0, body, body});
        const std::string line = fmt::format("{} {} {}\n", member, result.sequence, body);
        if (::write(1, line.data(), line.size()) < 0) std::_Exit(3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::_Exit(4);
}

/// This program is started again as the server to be killed: with the variable set it never comes
/// to its tests.
class ServerToKill : public testing::Environment {
 public:
  void SetUp() override {
    if (const char* folder = std::getenv(kFolderVariable)) append_for_ever(folder);
  }
};

const testing::Environment* const kServerToKill =
    testing::AddGlobalTestEnvironment(new ServerToKill);

/// Starts the server, kills it after `lines` acknowledgements, and returns all that it printed.
std::vector<std::string> run_and_kill(const std::string& folder, std::size_t lines) {
  int ends[2];
  if (::pipe(ends) != 0) throw Error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  const std::string variable = std::string(kFolderVariable) + "=" + folder;
  std::vector<char*> environment;
  for (char** at = environ; *at; ++at) environment.push_back(*at);
  environment.push_back(const_cast<char*>(variable.c_str()));
  environment.push_back(nullptr);
  char program[] = "/proc/self/exe", quiet[] = "--gtest_brief=1", none[] = "--gtest_filter=*Slow*";
  char* arguments[] = {program, quiet, none, nullptr};
  pid_t process = 0;
  const int failed =
      ::posix_spawn(&process, program, &actions, nullptr, arguments, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed) throw Error("the server does not start");

  std::vector<std::string> acknowledged;
  std::FILE* output = ::fdopen(ends[0], "r");
  char line[256];
  while (std::fgets(line, sizeof(line), output)) {
    std::string text = line;
    if (!text.ends_with('\n')) break;  // Killed within a line.
    text.pop_back();
    if (text.starts_with("m")) acknowledged.push_back(std::move(text));
    if (acknowledged.size() == lines) ::kill(process, SIGKILL);
  }
  std::fclose(output);
  int status = 0;
  ::waitpid(process, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return acknowledged;
}

TEST(RocksdbStoreSlow, AKilledServerLosesNothingAcknowledged) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "store").string();
  std::map<std::string, std::map<std::int64_t, std::string>> acknowledged;
  Random random(11);
  for (int round = 0; round < 20; ++round) {
    // From before the first table is written to after many.
    const std::size_t lines = 1 + random.below(round % 4 == 0 ? 20 : 3000);
    const auto printed = run_and_kill(path, lines);
    ASSERT_GE(printed.size(), lines) << round;
    for (const std::string& line : printed) {
      const auto first = line.find(' '), second = line.find(' ', first + 1);
      const std::int64_t sequence = std::stoll(line.substr(first + 1, second - first - 1));
      const bool is_new =
          acknowledged[line.substr(0, first)].emplace(sequence, line.substr(second + 1)).second;
      ASSERT_TRUE(is_new) << "number given twice: " << line;
    }
    const auto store = open_member_store("rocksdb:" + path);
    for (const auto& [member, expected] : acknowledged) {
      const auto kept = store->recent(member, 1'000'000);
      ASSERT_GE(std::ssize(kept), expected.rbegin()->first);
      for (std::size_t i = 0; i < kept.size(); ++i) {
        ASSERT_EQ(kept[i].sequence, static_cast<std::int64_t>(i + 1)) << member;
      }
      for (const auto& [sequence, body] : expected) {
        ASSERT_EQ(kept[static_cast<std::size_t>(sequence - 1)].interaction.body, body) << member;
      }
    }
  }
}

}  // namespace
}  // namespace limber
