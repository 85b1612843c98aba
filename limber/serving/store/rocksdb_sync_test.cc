// What was acknowledged has been flushed to the disk. A killed process does not show it, for the
// kernel still holds what it wrote; so the calls that flush are counted, as they leave RocksDB.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>

#include "limber/core/base/files.h"
#include "limber/serving/store/member_store.h"

namespace {

std::atomic<int> flushes = 0;

int flush_by(const char* name, int descriptor) {
  ++flushes;
  const auto real = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, name));
  return real(descriptor);
}

}  // namespace

// The program's own definitions come before the C library's for shared libraries, too.
extern "C" int fsync(int descriptor) {
  return flush_by("fsync", descriptor);
}
extern "C" int fdatasync(int descriptor) {
  return flush_by("fdatasync", descriptor);
}

namespace limber {
namespace {

TEST(RocksdbSync, EachAppendIsFlushedBeforeItReturns) {
  const TemporaryFolder folder;
  const auto store = open_member_store("rocksdb:" + (folder.path() / "store").string());
  store->append("ann", {1, "", "first"});
  for (int i = 0; i < 20; ++i) {
    const int before = flushes;
    store->append("ann", {1, "", "click"});
    EXPECT_GT(flushes, before) << i;
  }
  // Many in one call share a flush.
  const std::vector<MemberInteraction> many(500, {"bob", {1, "", "click"}});
  const int before = flushes;
  store->append_many(many);
  EXPECT_GT(flushes, before);
  EXPECT_LT(flushes, before + 50);
}

TEST(RocksdbSync, WhatIsForgottenIsFlushed) {
  const TemporaryFolder folder;
  const auto store = open_member_store("rocksdb:" + (folder.path() / "store").string());
  store->append("ann", {1, "", "click"});
  const int before = flushes;
  store->forget("ann");
  EXPECT_GT(flushes, before);
}

}  // namespace
}  // namespace limber
