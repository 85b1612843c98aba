// What holds for RocksDB alone: its folder, damage, full disks.
#include "limber/serving/store/rocksdb_store.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/file_size_limit_for_test.h"
#include "limber/core/base/files.h"
#include "limber/serving/store/rocksdb_folder.h"

namespace limber {
namespace {

namespace fs = std::filesystem;
namespace layout = rocksdb_layout;

class RocksdbStores : public testing::Test {
 protected:
  fs::path path() const { return folder_.path() / "store"; }
  std::unique_ptr<MemberStore> open() const { return open_rocksdb_store(path(), options_); }

  /// Appends to `members` members until some of it has been written to tables, and closes.
  void fill(int members) const {
    const auto store = open();
    for (int round = 0; round < 3; ++round) {
      std::vector<MemberInteraction> many;
      many.reserve(static_cast<std::size_t>(members));
      for (int i = 0; i < members; ++i) {
        many.push_back({"m" + std::to_string(i), {kTime, "", "body " + std::to_string(i)}});
      }
      store->append_many(many);
    }
  }
  /// Moves all to tables.
  void flush() const {
    StoreOptions options = options_;
    options.now_ms = [] { return kTime; };
    const RocksdbFolder folder(path(), options);
    for (std::size_t i = 0; i < layout::kFamilies.size(); ++i) {
      auto* family = folder.family(static_cast<layout::Family>(i));
      folder.check(folder.database().Flush({}, family), "flush");
      folder.check(folder.database().CompactRange({}, family, nullptr, nullptr), "compact");
    }
  }
  /// The largest file whose name ends so.
  fs::path largest(std::string_view ending) const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(path())) {
      if (!entry.path().filename().string().ends_with(ending)) continue;
      if (found.empty() || fs::file_size(entry) > fs::file_size(found)) found = entry;
    }
    EXPECT_FALSE(found.empty()) << ending;
    return found;
  }
  /// The file of the highest number.
  fs::path newest(std::string_view ending) const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(path())) {
      if (entry.path().string().ends_with(ending)) found = std::max(found, entry.path());
    }
    EXPECT_FALSE(found.empty()) << ending;
    return found;
  }
  static void flip_bytes(const fs::path& file, double where) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(where * static_cast<double>(fs::file_size(file))));
    stream << "\x5a\xa5\x5a\xa5\x5a\xa5\x5a\xa5";
    ASSERT_TRUE(stream.good());
  }
  /// Opening throws an InputError that names the folder and says `word`.
  void expect_refused(std::string_view word) const {
    try {
      open();
      FAIL() << "opened, expected: " << word;
    } catch (const InputError& error) {
      EXPECT_NE(std::string_view(error.what()).find(path().string()), std::string_view::npos);
      EXPECT_NE(std::string_view(error.what()).find(word), std::string_view::npos) << error.what();
    }
  }

  static constexpr std::int64_t kTime = 1'700'000'000'000;
  TemporaryFolder folder_;
  StoreOptions options_;
};

TEST_F(RocksdbStores, RefuseASecondOpener) {
  const auto first = open();
  expect_refused("another process uses this store");
  EXPECT_TRUE(first->append("ann", {}).stored());
}

TEST_F(RocksdbStores, RefuseWhatIsNoStore) {
  std::ofstream(path()) << "x";
  expect_refused("it is a file");
  fs::remove(path());
  fs::create_directories(path());
  std::ofstream(path() / "manifest.json") << "{}";
  expect_refused("is no store: it holds manifest.json");
  EXPECT_TRUE(fs::exists(path() / "manifest.json"));
}

TEST_F(RocksdbStores, RefuseANewerFormat) {
  fill(1);
  {
    StoreOptions options;
    options.now_ms = [] { return kTime; };
    const RocksdbFolder folder(path(), options);
    folder.check(folder.database().Put({}, folder.family(layout::kDefault), layout::kFormatKey,
                                       std::to_string(layout::kFormat + 1)),
                 "put");
  }
  expect_refused("newer Limber");
}

TEST_F(RocksdbStores, RefuseFamiliesOfANewerFormat) {
  fill(1);
  {
    StoreOptions options;
    options.now_ms = [] { return kTime; };
    const RocksdbFolder folder(path(), options);
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    folder.check(folder.database().CreateColumnFamily({}, "wishes", &handle), "create");
    folder.check(folder.database().DestroyColumnFamilyHandle(handle), "close");
  }
  expect_refused("newer Limber");
}

TEST_F(RocksdbStores, RefuseADamagedManifest) {
  fill(10);
  for (const auto& entry : fs::directory_iterator(path())) {
    if (entry.path().filename().string().starts_with("MANIFEST-")) flip_bytes(entry, 0.3);
  }
  expect_refused("damaged");
}

TEST_F(RocksdbStores, RefuseATableThatIsCutShortOrGone) {
  fill(1000);
  flush();
  const fs::path table = largest(".sst");
  fs::resize_file(table, fs::file_size(table) / 2);
  expect_refused("damaged");
  fs::remove(table);
  expect_refused("damaged");
}

TEST_F(RocksdbStores, RefuseAFolderWithTablesAndNothingElse) {
  fill(10);
  flush();
  fs::remove(path() / "CURRENT");
  expect_refused("damaged");
}

TEST_F(RocksdbStores, RefuseALogThatIsDamagedInItsMidst) {
  fill(1000);
  flip_bytes(largest(".log"), 0.5);
  expect_refused("damaged");
}

TEST_F(RocksdbStores, OpenALogWhoseLastWriteWasCutOff) {
  fill(10);
  {
    const auto store = open();
    store->append("last", {kTime, "", std::string(500, 'x')});
  }
  const fs::path log = newest(".log");
  fs::resize_file(log, fs::file_size(log) - 100);
  const auto store = open();
  EXPECT_EQ(store->recent("m9", 10).size(), 3u);
  EXPECT_TRUE(store->recent("last", 10).empty());
  EXPECT_EQ(store->append("last", {}).sequence, 1);
}

TEST_F(RocksdbStores, SayThatATableIsDamagedWhenItIsRead) {
  fill(3000);
  flush();
  const auto store = open();
  flip_bytes(largest(".sst"), 0.4);
  int failed = 0;
  for (int i = 0; i < 3000; ++i) {
    try {
      EXPECT_EQ(store->recent("m" + std::to_string(i), 10).size(), 3u);
    } catch (const Error& error) {
      ++failed;
      EXPECT_NE(std::string_view(error.what()).find("damaged"), std::string_view::npos);
    }
  }
  EXPECT_GT(failed, 0);
  EXPECT_LT(failed, 3000) << "the undamaged part can be read";
}

TEST_F(RocksdbStores, CompactionDropsWhatHasExpired) {
  std::int64_t now = kTime;
  options_.now_ms = [&] { return now; };
  options_.interaction_ttl = std::chrono::seconds(100);
  options_.state_ttl = std::chrono::seconds(200);
  const RocksdbFolder* opened = nullptr;
  const auto keys_left = [&] {
    std::vector<int> counts;
    for (std::size_t i = 1; i < layout::kFamilies.size(); ++i) {
      auto* family = opened->family(static_cast<layout::Family>(i));
      rocksdb::CompactRangeOptions all;
      all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
      opened->check(opened->database().CompactRange(all, family, nullptr, nullptr), "compact");
      const std::unique_ptr<rocksdb::Iterator> at(opened->database().NewIterator({}, family));
      int count = 0;
      for (at->SeekToFirst(); at->Valid(); at->Next()) ++count;
      counts.push_back(count);
    }
    return counts;  // heads, interactions, events, states
  };
  const auto look = [&] {
    const RocksdbFolder folder(path(), options_);
    opened = &folder;
    return keys_left();
  };
  {
    const auto store = open();
    for (int i = 0; i < 4; ++i)
      store->append("ann", {kTime + i * std::int64_t{20'000}, std::to_string(i), "{}"});
    store->put_state("ann", {{1}, "m", "1", kTime, 4});
  }
  EXPECT_EQ(look(), (std::vector<int>{1, 4, 4, 1}));
  now = kTime + 130'000;
  EXPECT_EQ(look(), (std::vector<int>{1, 2, 2, 1}));
  now = kTime + 200'001;
  EXPECT_EQ(look(), (std::vector<int>{1, 0, 0, 0}));
  EXPECT_EQ(open()->append("ann", {now, "", ""}).sequence, 5);
  now += 200'001;
  EXPECT_EQ(look(), (std::vector<int>{0, 0, 0, 0}));
}

TEST_F(RocksdbStores, SurviveAFullDisk) {
  options_.most_interactions = 100'000;
  auto store = open();
  std::int64_t acknowledged = 0, refused = 0;
  const std::string body(2000, 'x');
  const auto append_some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      try {
        acknowledged = store->append("ann", {kTime, "", body}).sequence;
      } catch (const Error& error) {
        ++refused;
        EXPECT_NE(std::string_view(error.what()).find(path().string()), std::string_view::npos);
        EXPECT_NE(std::string_view(error.what()).find("File too large"), std::string_view::npos)
            << error.what();
      }
    }
  };
  append_some(10);
  EXPECT_EQ(refused, 0);
  {
    const FileSizeLimit limit(64 << 10);
    append_some(60);
    EXPECT_GT(refused, 0);
    EXPECT_GT(acknowledged, 10);
    // What was acknowledged can be read meanwhile.
    EXPECT_GE(std::ssize(store->recent("ann", 100'000)), acknowledged);
  }
  EXPECT_TRUE(store->health().usable) << store->health().reason;
  refused = 0;
  append_some(10);
  EXPECT_EQ(refused, 0);
  for (int round = 0; round < 2; ++round) {
    const auto kept = store->recent("ann", 100'000);
    EXPECT_EQ(kept.back().sequence, acknowledged);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      ASSERT_EQ(kept[i].sequence, static_cast<std::int64_t>(i + 1));
    }
    store.reset();
    store = open();
  }
}

TEST_F(RocksdbStores, AreUnhealthyWhileTheDiskIsFull) {
  const auto store = open();
  const FileSizeLimit limit(1);
  EXPECT_THROW(store->append("ann", {kTime, "", "x"}), Error);
  const StoreHealth health = store->health();
  EXPECT_FALSE(health.usable);
  EXPECT_NE(health.reason.find(path().string()), std::string::npos) << health.reason;
}

}  // namespace
}  // namespace limber
