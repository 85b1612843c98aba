#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/serving/store/member_store.h"
#include "limber/serving/store/redis_server_for_test.h"

namespace limber {

inline constexpr std::int64_t kStart = 1'700'000'000'000;

/// A store of the kind that the parameter names: memory, rocksdb or redis.
class MemberStores : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    if (!redis_) redis_ = std::make_unique<RedisServerForTest>();
  }
  static void TearDownTestSuite() { redis_.reset(); }

  void SetUp() override {
    if (kind() == "redis") redis_->ask({"FLUSHALL"});
    open();
  }

  std::string kind() const { return GetParam(); }
  bool outlives_its_process() const { return kind() != "memory"; }

  /// Opens the store with `options_`, again where it was open.
  void open() {
    store_.reset();
    options_.now_ms = [this] { return now_.load(); };
    options_.timeout = std::chrono::seconds(20);
    const std::string url = kind() == "rocksdb" ? "rocksdb:" + (folder_.path() / "store").string()
                            : kind() == "redis" ? redis_->url()
                                                : "memory:";
    store_ = open_member_store(url, options_);
  }

  Interaction at(std::int64_t time_ms, std::string event_id = "", std::string body = "{}") const {
    return {time_ms, std::move(event_id), std::move(body)};
  }
  AppendResult append(std::string_view member, std::string event_id = "", std::string body = "{}") {
    return store_->append(member, at(now_, std::move(event_id), std::move(body)));
  }
  MemberState state(std::int64_t sequence, std::string version = "1",
                    std::vector<float> values = {1}) const {
    return {std::move(values), "model", std::move(version), now_, sequence};
  }
  std::vector<std::int64_t> sequences(std::string_view member, std::int64_t limit = 1000) {
    std::vector<std::int64_t> result;
    const auto recent = store_->recent(member, limit);
    result.reserve(recent.size());
    for (const auto& stored : recent) result.push_back(stored.sequence);
    return result;
  }
  /// All that scan finds, in pages of `limit`.
  std::vector<std::string> scanned(std::int64_t limit, std::string_view version = "1") {
    std::vector<std::string> members;
    std::string cursor;
    do {
      const ScanPage page = store_->scan(cursor, limit, "model", version);
      EXPECT_LE(std::ssize(page.entries), limit);
      for (const ScanEntry& entry : page.entries) members.push_back(entry.member);
      cursor = page.next_cursor;
    } while (!cursor.empty());
    return members;
  }

  static inline std::unique_ptr<RedisServerForTest> redis_;
  TemporaryFolder folder_;
  std::atomic<std::int64_t> now_ = kStart;
  StoreOptions options_;
  std::unique_ptr<MemberStore> store_;
};

using Sequences = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

}  // namespace limber
