#include "limber/training/train/training_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

/// Runs `body` with files limited to `bytes`: writes beyond fail as on a full disk.
void with_file_limit(rlim_t bytes, const std::function<void()>& body) {
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  body();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
}

class TrainingLogTest : public testing::Test {
 protected:
  /// Two lines a step, as training and validation write them.
  static void write_steps(TrainingLog& log, std::int64_t first, std::int64_t last) {
    for (std::int64_t step = first; step <= last; ++step) {
      log.write({{"step", step}, {"loss", 1.0 / static_cast<double>(step)}});
      log.write({{"step", step}, {"auc", 0.5}});
    }
  }

  void expect_refused(const std::string& line) {
    const std::string text = "{\"step\": 1}\n" + line + "\n{\"step\": 2}\n";
    std::ofstream(path_, std::ios::binary) << text;
    try {
      TrainingLog::resume(path_, 5);
      ADD_FAILURE() << "accepted: " << line;
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()).rfind(path_.string() + ":2: ", 0), 0u) << error.what();
    }
    EXPECT_EQ(read_file(path_), text);
  }

  TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "log.jsonl";
};

TEST_F(TrainingLogTest, LinesAreOnDiskAsTheyAreWritten) {
  TrainingLog log = TrainingLog::start(path_);
  log.write({{"step", 1}, {"loss", 0.5}, {"a", "x\ny"}});
  const std::string first = "{\"step\":1,\"loss\":0.5,\"a\":\"x\\ny\"}\n";
  EXPECT_EQ(read_file(path_), first);
  log.write({{"step", 1}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_EQ(read_file(path_), first + "{\"step\":1,\"loss\":null}\n");
  EXPECT_NO_THROW(log.sync());
}

TEST_F(TrainingLogTest, AResumedLogEqualsAnUnbrokenOneWhereverItWasCut) {
  {
    TrainingLog log = TrainingLog::start(path_);
    write_steps(log, 1, 9);
  }
  const std::string unbroken = read_file(path_);
  // Checkpoints at step 4; the run dies anywhere later, even in the middle of a line.
  std::size_t end_of_four = 0;
  for (int line = 0; line < 8; ++line) end_of_four = unbroken.find('\n', end_of_four) + 1;
  for (std::size_t length = end_of_four; length <= unbroken.size(); ++length) {
    std::ofstream(path_, std::ios::binary) << unbroken.substr(0, length);
    TrainingLog log = TrainingLog::resume(path_, 4);
    EXPECT_EQ(read_file(path_), unbroken.substr(0, end_of_four)) << length;
    write_steps(log, 5, 9);
    ASSERT_EQ(read_file(path_), unbroken) << length;
  }
}

TEST_F(TrainingLogTest, ResumingBeforeTheFirstStepEmptiesIt) {
  {
    TrainingLog log = TrainingLog::start(path_);
    write_steps(log, 1, 3);
  }
  TrainingLog::resume(path_, 0);
  EXPECT_EQ(read_file(path_), "");
}

TEST_F(TrainingLogTest, AMissingLogIsBegunAndAnOldOneReplaced) {
  TrainingLog resumed = TrainingLog::resume(path_, 4);
  resumed.write({{"step", 5}});
  EXPECT_EQ(read_file(path_), "{\"step\":5}\n");
  TrainingLog::start(path_);
  EXPECT_EQ(read_file(path_), "");
}

TEST_F(TrainingLogTest, RefusesALogThatIsNoLogAndLeavesItAlone) {
  for (const char* line : {"", "text", "{\"step\": 1", "[1]", "{\"loss\": 1}", "{\"step\": 1.5}",
                           "{\"step\": \"1\"}"}) {
    expect_refused(line);
  }
}

TEST_F(TrainingLogTest, StepsAreNeededAndNeverFall) {
  TrainingLog log = TrainingLog::start(path_);
  log.write({{"step", 5}});
  EXPECT_THROW(log.write({{"step", 4}}), Error);
  EXPECT_THROW(log.write({{"loss", 4}}), Error);
  EXPECT_THROW(log.write({{"step", 5.5}}), Error);
  EXPECT_NO_THROW(log.write({{"step", 5}}));
  EXPECT_EQ(read_file(path_), "{\"step\":5}\n{\"step\":5}\n");
  EXPECT_THROW(TrainingLog::resume(path_, 7).write({{"step", 6}}), Error);
}

TEST_F(TrainingLogTest, WhatCannotBeWrittenIsAnError) {
  EXPECT_THROW(TrainingLog::start(folder_.path() / "absent" / "log.jsonl"), Error);
  TrainingLog log = TrainingLog::start(path_);
  write_steps(log, 1, 9);
  const std::string unbroken = read_file(path_);
  with_file_limit(unbroken.size() + 5, [&] {
    EXPECT_THROW(log.write({{"step", 10}, {"note", "too long"}}), Error);
  });
  // What the full disk cut short is dropped like what a crash cut short.
  TrainingLog::resume(path_, 10);
  EXPECT_EQ(read_file(path_), unbroken);
}

}  // namespace
}  // namespace limber
