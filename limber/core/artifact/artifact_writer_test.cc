#include "limber/core/artifact/artifact_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iterator>
#include <set>
#include <thread>

#include "limber/core/artifact/artifact.h"
#include "limber/core/artifact/version.h"
#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

std::size_t count_entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Each version's tensor is filled with one number, which its metrics repeat.
fs::path publish(const fs::path& models, float mark, std::size_t elements = 16) {
  const std::vector<float> values(elements, mark);
  ArtifactWriter writer(models, "m");
  writer.add_tensors(
      "tables/t.safetensors",
      std::vector{make_tensor<float>("t", {static_cast<std::int64_t>(elements)}, values)});
  writer.add_file("vocabulary/t", std::to_string(mark));
  ManifestFields fields;
  fields.metrics = {{"mark", mark}};
  return writer.publish(fields);
}

void expect_consistent(const Artifact& artifact) {
  const float mark = artifact.contents().fields.metrics["mark"];
  for (const float value : artifact.tensor("t").values<float>()) ASSERT_EQ(value, mark);
  EXPECT_EQ(artifact.read("vocabulary/t"), std::to_string(mark));
  EXPECT_EQ(artifact.version(), artifact.folder().filename().string());
}

/// The soft limit on the size of a written file, with the signal off: writes beyond it fail like
/// those to a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

class ArtifactWriterTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const fs::path models_ = folder_.path() / "deep/er/models";
  const fs::path model_ = models_ / "m";
};

TEST(ArtifactCopy, HasTheOthersFilesByteForByte) {
  const TemporaryFolder folder;
  const Artifact before = Artifact::open(publish(folder.path(), 3));
  EXPECT_EQ(before.contents().format, 1U);
  const float extra = 0.5F;
  ArtifactWriter writer(folder.path(), "m");
  for (const FileEntry& file : before.contents().files) writer.add_copy(before, file.path);
  writer.add_tensors("extra.safetensors",
                     std::vector{make_tensor<float>("extra", {1}, std::span(&extra, 1))});
  writer.require_format(2);
  const Artifact after = Artifact::open(writer.publish(before.contents().fields));
  expect_consistent(after);
  EXPECT_EQ(after.contents().format, 2U);
  EXPECT_EQ(after.tensor("extra").values<float>()[0], extra);
  for (const FileEntry& file : before.contents().files) {
    EXPECT_EQ(after.read(file.path), before.read(file.path)) << file.path;
  }

  // What one needs, a copy of it does.
  ArtifactWriter second(folder.path(), "m");
  second.add_copy(after, "extra.safetensors");
  EXPECT_EQ(Artifact::open(second.publish({})).contents().format, 2U);
  ArtifactWriter third(folder.path(), "m");
  EXPECT_THROW(third.add_copy(before, "none.txt"), InputError);
  EXPECT_THROW(third.publish({}), Error);
}

TEST_F(ArtifactWriterTest, VersionsCountUpFromTheHighest) {
  EXPECT_EQ(publish(models_, 1), model_ / "000001");
  EXPECT_EQ(publish(models_, 2), model_ / "000002");
  fs::remove_all(model_ / "000001");
  fs::create_directory(model_ / "000041");
  EXPECT_EQ(publish(models_, 3), model_ / "000042");
}

TEST_F(ArtifactWriterTest, NothingIsVisibleBeforePublish) {
  {
    ArtifactWriter writer(models_, "m");
    writer.add_file("a", "text");
    EXPECT_TRUE(list_versions(model_).empty());
    EXPECT_EQ(count_entries(model_), 1u);
  }
  EXPECT_EQ(count_entries(model_), 0u);
}

TEST_F(ArtifactWriterTest, OthersMayReadWhatTheUmaskAllows) {
  const mode_t before = ::umask(022);
  const fs::path path = publish(models_, 1);
  ::umask(before);
  EXPECT_EQ(fs::status(path).permissions() & fs::perms::mask, fs::perms(0755));
  EXPECT_EQ(fs::status(path / "tables").permissions() & fs::perms::mask, fs::perms(0755));
  EXPECT_EQ(fs::status(path / "manifest.json").permissions() & fs::perms::mask, fs::perms(0644));
}

TEST_F(ArtifactWriterTest, RefusesNamesAndPathsThatLeadElsewhere) {
  EXPECT_THROW(ArtifactWriter(models_, "../m"), InputError);
  EXPECT_FALSE(fs::exists(models_));
  for (const char* path : {"../x.safetensors", "/x.safetensors", "a//x.safetensors", "x"}) {
    EXPECT_THROW(ArtifactWriter(models_, "m").add_tensors(path, {}), InputError) << path;
  }
  for (const char* path : {"../x", "/x", "", "manifest.json", "x.safetensors"}) {
    EXPECT_THROW(ArtifactWriter(models_, "m").add_file(path, "text"), InputError) << path;
  }
}

TEST_F(ArtifactWriterTest, AFailedStepSpoilsTheWhole) {
  const std::vector<float> values = {1, 2};
  const std::vector tensors = {make_tensor<float>("t", {2}, values)};
  const std::vector wrong = {make_tensor<float>("u", {3}, values)};
  const auto expect_spoilt = [&](auto step) {
    ArtifactWriter writer(models_, "m");
    writer.add_tensors("a.safetensors", tensors);
    EXPECT_THROW(step(writer), Error);
    EXPECT_THROW(writer.add_file("b", "text"), Error);
    EXPECT_THROW(writer.publish({}), Error);
  };
  expect_spoilt([&](auto& writer) { writer.add_tensors("b.safetensors", wrong); });
  expect_spoilt([&](auto& writer) { writer.add_tensors("b.safetensors", tensors); });
  expect_spoilt([&](auto& writer) { writer.add_tensors("a.safetensors", {}); });
  expect_spoilt([&](auto& writer) { writer.add_file("a.safetensors/b", "text"); });
  expect_spoilt([&](auto& writer) {
    ManifestFields fields;
    fields.config["name"] = "\xff";
    writer.publish(fields);
  });
  EXPECT_EQ(count_entries(model_), 0u);
}

TEST_F(ArtifactWriterTest, APublishedWriterIsSpent) {
  ArtifactWriter writer(models_, "m");
  const fs::path path = writer.publish({});
  EXPECT_THROW(writer.add_file("b", "text"), Error);
  EXPECT_THROW(writer.publish({}), Error);
  EXPECT_TRUE(Artifact::open(path).contents().files.empty());
}

TEST_F(ArtifactWriterTest, AFullDiskPublishesNothingAndLeavesNothing) {
  publish(models_, 1);
  // The limit bites in the table's head, in its data, and in the manifest.
  for (const rlim_t bytes : {rlim_t{10}, rlim_t{100}, rlim_t{600}}) {
    const FileSizeLimit limit(bytes);
    EXPECT_THROW(publish(models_, 2), Error) << bytes;
    EXPECT_EQ(count_entries(model_), 1u) << bytes;
  }
  EXPECT_EQ(publish(models_, 3), model_ / "000002");
  expect_consistent(Artifact::open(model_));
}

TEST_F(ArtifactWriterTest, RacingWritersEachGetAVersionOfTheirOwn) {
  constexpr int kWriters = 4, kVersions = 4;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < kVersions; ++i) {
        publish(models_, static_cast<float>(writer * kVersions + i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::set<float> marks;
  for (const std::uint64_t version : list_versions(model_)) {
    const Artifact artifact = Artifact::open(model_ / version_name(version));
    expect_consistent(artifact);
    marks.insert(artifact.tensor("t").values<float>()[0]);
  }
  EXPECT_EQ(marks.size(), static_cast<std::size_t>(kWriters * kVersions));
  EXPECT_EQ(list_versions(model_).back(), static_cast<std::uint64_t>(kWriters * kVersions));
  EXPECT_EQ(count_entries(model_), static_cast<std::size_t>(kWriters * kVersions));
}

TEST_F(ArtifactWriterTest, AFolderInUseIsNotTidiedAway) {
  ArtifactWriter slow(models_, "m");
  slow.add_file("a", "slow");
  publish(models_, 1);
  const fs::path path = slow.publish({});
  EXPECT_EQ(path, model_ / "000002");
  EXPECT_EQ(Artifact::open(path).read("a"), "slow");
}

TEST_F(ArtifactWriterTest, AKilledWriterLeavesOnlyWholeVersions) {
  Random random(1);
  std::size_t left_behind = 0;
  for (int round = 0; round < 12; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        for (int i = 0;; ++i) publish(models_, static_cast<float>(i), 50000);
      } catch (...) {
        ::_exit(1);
      }
    }
    ::usleep(static_cast<useconds_t>(2000 + random.below(30000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    if (!fs::exists(model_)) continue;
    // At most what the last child was writing: each new one tidies up after the one before.
    const std::size_t hidden = count_entries(model_) - list_versions(model_).size();
    EXPECT_LE(hidden, 1u);
    left_behind += hidden;
    for (const std::uint64_t version : list_versions(model_)) {
      expect_consistent(Artifact::open(model_ / version_name(version)));
      fs::remove_all(model_ / version_name(version));
    }
  }
  // Otherwise no kill hit a writer at work, and nothing was tested.
  EXPECT_GT(left_behind, 0u);
  publish(models_, 0);
  EXPECT_EQ(count_entries(model_), 1u);
}

}  // namespace
}  // namespace limber
