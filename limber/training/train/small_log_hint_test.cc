#include "limber/training/train/small_log_hint.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace limber {
namespace {

Config with(std::int64_t batch, std::int64_t epochs, std::int64_t patience) {
  Config config;
  config.meta.tasks_per_batch = batch;
  config.train.epochs = epochs;
  config.train.patience = patience;
  return config;
}

/// Does what a hint says.
Config followed(Config config, const std::string& hint) {
  const std::regex setting("--set ([a-z_.]+)=([0-9]+)");
  for (std::sregex_iterator at(hint.begin(), hint.end(), setting), end; at != end; ++at) {
    const std::int64_t value = std::stoll((*at)[2]);
    const std::string key = (*at)[1];
    if (key == "meta.tasks_per_batch") config.meta.tasks_per_batch = value;
    if (key == "train.epochs") config.train.epochs = value;
    if (key == "train.patience") config.train.patience = value;
  }
  return config;
}

bool holds(const std::string& hint, const std::string& part) {
  return hint.find(part) != std::string::npos;
}

TEST(SmallLogHint, DefaultsOnFewMembersAreHinted) {
  const std::string hint = small_log_hint(Config{}, 300);
  EXPECT_TRUE(holds(hint, "5 steps an epoch")) << hint;
  EXPECT_TRUE(holds(hint, "--set meta.tasks_per_batch=16")) << hint;
  EXPECT_TRUE(holds(hint, "--set train.epochs=55")) << hint;
  EXPECT_TRUE(holds(hint, "--set train.patience=10")) << hint;
  EXPECT_EQ(hint.find('\n'), std::string::npos);
}

TEST(SmallLogHint, EnoughStepsAreNot) {
  EXPECT_EQ(small_log_hint(Config{}, 6400), "") << "a hundred steps an epoch";
  EXPECT_EQ(small_log_hint(with(16, 30, 4), 754), "") << "few an epoch, but enough of them";
  EXPECT_EQ(small_log_hint(Config{}, 2000), "");
  EXPECT_EQ(small_log_hint(Config{}, 0), "") << "no episodes are another error";
  // One short of a hundred, and too few epochs.
  EXPECT_NE(small_log_hint(with(64, 2, 2), 6336), "");
  EXPECT_EQ(small_log_hint(with(64, 2, 2), 6337), "");
}

TEST(SmallLogHint, EitherEpochsOrPatienceMayBeTooFew) {
  // 50 steps an epoch: 10 epochs and 2 of patience are just enough.
  EXPECT_EQ(small_log_hint(with(16, 10, 2), 800), "");
  const std::string epochs = small_log_hint(with(16, 9, 5), 800);
  EXPECT_TRUE(holds(epochs, "train.epochs=20")) << epochs;
  EXPECT_FALSE(holds(epochs, "tasks_per_batch"));
  const std::string patience = small_log_hint(with(16, 20, 1), 800);
  EXPECT_TRUE(holds(patience, "train.patience=5")) << patience;
  EXPECT_FALSE(holds(patience, "train.epochs")) << patience;
}

TEST(SmallLogHint, PatienceOnlyWhereTrainingStopsEarly) {
  Config config = with(16, 20, 1);
  EXPECT_NE(small_log_hint(config, 800), "");
  config.train.early_stop = "none";
  EXPECT_EQ(small_log_hint(config, 800), "");
  EXPECT_FALSE(holds(small_log_hint(config, 200), "patience"));
}

TEST(SmallLogHint, WhoFollowsItIsLeftAlone) {
  int hinted = 0;
  for (std::int64_t tasks = 1; tasks < 7000; tasks = tasks * 6 / 5 + 1) {
    for (const std::int64_t batch : {1, 7, 16, 64, 1000}) {
      for (const std::int64_t epochs : {1, 20, 100, 400}) {
        for (const std::int64_t patience : {1, 3, 30}) {
          const Config config = with(batch, epochs, patience);
          const std::string hint = small_log_hint(config, tasks);
          if (hint.empty()) continue;
          ++hinted;
          const Config better = followed(config, hint);
          EXPECT_EQ(small_log_hint(better, tasks), "") << tasks << " tasks, " << hint;
          // It never takes steps away.
          EXPECT_LE(better.meta.tasks_per_batch, batch);
          EXPECT_GE(better.train.epochs, epochs);
          EXPECT_GE(better.train.patience, patience);
        }
      }
    }
  }
  EXPECT_GT(hinted, 100);
}

}  // namespace
}  // namespace limber
