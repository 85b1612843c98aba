#include "limber/core/base/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/file_size_limit_for_test.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

void touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

class Files : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }

  std::vector<std::string> expanded(const std::vector<std::string>& patterns) const {
    std::vector<std::string> absolute, names;
    for (const std::string& pattern : patterns) absolute.push_back(at(pattern).string());
    for (const fs::path& path : expand_paths(absolute)) {
      names.push_back(path.lexically_relative(folder_.path()).string());
    }
    return names;
  }

  TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(Files, ReadGivesEveryByteBack) {
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes += static_cast<char>(i * 7 % 256);
  write_file_durable(at("bytes"), bytes);
  EXPECT_EQ(read_file(at("bytes")), bytes);
  write_file_durable(at("empty"), "");
  EXPECT_EQ(read_file(at("empty")), "");
}

TEST_F(Files, ReadNamesWhatItCannotRead) {
  const auto message = [](const fs::path& path) -> std::string {
    try {
      read_file(path);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(at("missing")).find(at("missing").string() + ": cannot be read: No such"), 0U);
  EXPECT_EQ(message(folder_.path()), folder_.path().string() + ": is a folder, expected a file");
}

TEST_F(Files, DurableWriteReplacesALongerFile) {
  write_file_durable(at("file"), "a long text");
  write_file_durable(at("file"), "short");
  EXPECT_EQ(read_file(at("file")), "short");
}

TEST_F(Files, DurableWriteRemovesWhatItCouldNotFinish) {
  const FileSizeLimit limit(4096);
  EXPECT_THROW(write_file_durable(at("file"), std::string(100000, 'x')), Error);
  EXPECT_FALSE(fs::exists(at("file")));
  EXPECT_THROW(write_file_durable(at("missing/file"), "x"), Error);
}

TEST_F(Files, AtomicWriteReplacesAndLeavesNothingElse) {
  write_file_atomic(at("file"), "old");
  write_file_atomic(at("file"), "new");
  EXPECT_EQ(read_file(at("file")), "new");
  EXPECT_EQ(entries(folder_.path()), 1U);
}

TEST_F(Files, AtomicWriteThatFailsLeavesTheOldFile) {
  write_file_atomic(at("file"), "old");
  {
    const FileSizeLimit limit(4096);
    EXPECT_THROW(write_file_atomic(at("file"), std::string(100000, 'x')), Error);
  }
  EXPECT_EQ(read_file(at("file")), "old");
  EXPECT_EQ(entries(folder_.path()), 1U);
  // A folder cannot be replaced by a file: here it is the rename that fails.
  touch(at("folder/inside"));
  EXPECT_THROW(write_file_atomic(at("folder"), "x"), Error);
  EXPECT_TRUE(fs::exists(at("folder/inside")));
  EXPECT_EQ(entries(folder_.path()), 2U);
}

TEST_F(Files, AtomicWriteIsNeverSeenHalfDone) {
  const std::string first(200000, 'a'), second(100000, 'b');
  write_file_atomic(at("file"), first);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i) write_file_atomic(at("file"), i % 2 == 0 ? second : first);
    done = true;
  });
  int torn = 0;
  while (!done) {
    const std::string seen = read_file(at("file"));
    torn += seen != first && seen != second ? 1 : 0;
  }
  writer.join();
  EXPECT_EQ(torn, 0);
}

TEST_F(Files, SyncFolderNamesAMissingFolder) {
  EXPECT_NO_THROW(sync_folder(folder_.path()));
  EXPECT_THROW(sync_folder(at("missing")), Error);
}

TEST_F(Files, ExpandsFilesFoldersAndGlobs) {
  for (const char* name : {"b.csv", "a.csv", "c.csv.gz", "d.parquet", "e.parquet.snappy",
                           "notes.txt", "deeper/f.csv", "10.csv"}) {
    touch(at(name));
  }
  EXPECT_EQ(expanded({"b.csv"}), Names{"b.csv"});
  EXPECT_EQ(expanded({"?.csv"}), (Names{"a.csv", "b.csv"}));
  EXPECT_EQ(expanded({"*/*.csv"}), Names{"deeper/f.csv"});
  EXPECT_EQ(expanded({"notes.*"}), Names{"notes.txt"});
  EXPECT_EQ(expanded({"."}).size(), 6U);  // neither notes.txt nor the folder inside
  // Patterns keep their order, the files of each are sorted.
  EXPECT_EQ(expanded({"deeper", "[ba].csv"}), (Names{"deeper/f.csv", "a.csv", "b.csv"}));
  EXPECT_EQ(expand_paths({}).size(), 0U);
}

TEST_F(Files, ExpandRefusesPatternsThatMatchNothing) {
  touch(at("a.csv"));
  touch(at("texts/notes.txt"));
  EXPECT_THROW(expanded({"b.csv"}), InputError);
  EXPECT_THROW(expanded({"a.csv", "*.parquet"}), InputError);
  EXPECT_THROW(expanded({"texts"}), InputError);
  try {
    expanded({"missing*.csv"});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.what(), at("missing*.csv").string() + ": no such file");
  }
  try {
    expand_paths(std::vector<std::string>{"missing.csv"});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.what(), "missing.csv: no such file (from " + fs::current_path().string() + ")");
  }
}

TEST(TemporaryFolders, AreDistinctAndRemoved) {
  fs::path first_path, second_path;
  {
    const TemporaryFolder first, second;
    first_path = first.path();
    second_path = second.path();
    EXPECT_NE(first_path, second_path);
    touch(first_path / "deeper/still/file");
  }
  EXPECT_FALSE(fs::exists(first_path));
  EXPECT_FALSE(fs::exists(second_path));
}

TEST_F(Files, MappedFileStartsAsZerosAndKeepsWhatIsWritten) {
  constexpr std::size_t kSize = 1000003;
  {
    MappedFile mapped = MappedFile::create(at("table"), kSize);
    ASSERT_EQ(mapped.size(), kSize);
    EXPECT_TRUE(std::all_of(mapped.data(), mapped.data() + kSize,
                            [](std::byte byte) { return byte == std::byte{0}; }));
    const std::span<std::uint32_t> words = mapped.as<std::uint32_t>();
    ASSERT_EQ(words.size(), kSize / 4);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = static_cast<std::uint32_t>(i * i);
    // Dropped pages come back from the file, not as zeros.
    mapped.release_pages();
    EXPECT_EQ(words[1234], 1234U * 1234U);
  }
  EXPECT_EQ(fs::file_size(at("table")), kSize);
  MappedFile opened = MappedFile::open(at("table"));
  ASSERT_EQ(opened.size(), kSize);
  EXPECT_EQ(opened.as<std::uint32_t>()[99999], static_cast<std::uint32_t>(99999ULL * 99999ULL));
  EXPECT_EQ(opened.data()[kSize - 1], std::byte{0});
}

TEST_F(Files, MappedFileMoves) {
  MappedFile first = MappedFile::create(at("first"), 8);
  first.data()[0] = std::byte{1};
  MappedFile second = std::move(first);
  EXPECT_EQ(second.data()[0], std::byte{1});
  MappedFile third = MappedFile::create(at("third"), 16);
  third = std::move(second);
  EXPECT_EQ(third.size(), 8U);
  EXPECT_EQ(third.data()[0], std::byte{1});
}

TEST_F(Files, MappedFileOfNoBytes) {
  EXPECT_EQ(MappedFile::create(at("empty"), 0).size(), 0U);
  EXPECT_EQ(MappedFile::open(at("empty")).size(), 0U);
  EXPECT_EQ(MappedFile().as<int>().size(), 0U);
}

TEST_F(Files, MappedFileCreateTruncatesAnOldFile) {
  std::ofstream(at("table")) << "old bytes that must go";
  MappedFile mapped = MappedFile::create(at("table"), 4);
  EXPECT_EQ(mapped.as<std::uint32_t>()[0], 0U);
  EXPECT_EQ(fs::file_size(at("table")), 4U);
}

TEST_F(Files, MappedFileErrors) {
  EXPECT_THROW(MappedFile::open(at("missing")), InputError);
  EXPECT_THROW(MappedFile::create(at("missing/table"), 8), Error);
  const FileSizeLimit limit(4096);
  EXPECT_THROW(MappedFile::create(at("table"), 100000), Error);
  EXPECT_FALSE(fs::exists(at("table")));
}

}  // namespace
}  // namespace limber
